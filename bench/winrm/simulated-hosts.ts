// A process that is many Windows hosts: WinRM servers with real NTLM and sealing, whose probes answer all at once.
//   node simulated-hosts.ts COUNT ANSWER-FILE
// Prints its ports as a line of JSON, and `asked` when every host has been asked; answers after a line on stdin.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { windowsAccount } from '../../test/support/windows/fleet.ts';
import { startWinrmServer } from '../../test/support/winrm-server/winrm-server.ts';
import { CannedHost, type CannedAnswer } from './canned-host.ts';

const [count = '0', answerFile = ''] = process.argv.slice(2);
const answer = JSON.parse(readFileSync(answerFile, 'utf8')) as CannedAnswer;
const letGo = once(process.stdin, 'data').then(() => undefined);
// Without whoever started it nobody asks for it.
process.stdin.once('end', () => process.exit());
let waiting = 0;
const asked = (): void => {
  waiting += 1;
  if (waiting === Number(count)) process.stdout.write('asked\n');
};

const ports: number[] = [];
for (let index = 0; index < Number(count); index += 1) {
  const name = `w${process.pid}x${index}`;
  const commands = new CannedHost(name, answer, { asked, letGo });
  const server = await startWinrmServer({ commands, accounts: [windowsAccount], computer: name.toUpperCase() });
  ports.push(server.port);
}
process.stdout.write(`${JSON.stringify(ports)}\n`);
