// A process that is many hosts: SSH servers with the real protocol that answer every probe as one machine once did.
//   node simulated-hosts.ts PORT HOST-KEY-FILE ANSWER-FILE
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';

const [port = '', keyFile = '', answerFile = ''] = process.argv.slice(2);
const answer = readFileSync(answerFile, 'latin1');
/** The mark of the request that was answered when the answer was taken down. */
const recordedMark = /\x1eFETTLE ([a-z0-9]+) begin\n/.exec(answer)?.[1] ?? '';

function digits(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The same packages everywhere, but machines of their own: the account's name selects one. */
function answerOf(user: string, mark: string): string {
  const own = digits(user);
  const bootId = `${own.slice(0, 8)}-${own.slice(8, 12)}-4${own.slice(13, 16)}-8${own.slice(17, 20)}-${own.slice(20, 32)}`;
  return answer
    .replaceAll(recordedMark, mark)
    .replace(/(\x1e[a-z0-9]+ machine-id\n)[0-9a-f]{32}/, `$1${own.slice(32)}`)
    .replace(/(\x1e[a-z0-9]+ boot-id\n)[0-9a-f-]{36}/, `$1${bootId}`);
}

const server = new ssh2.Server({ hostKeys: [readFileSync(keyFile)] }, (client) => {
  let user = '';
  client.on('error', () => undefined);
  client.on('authentication', (context) => {
    user = context.username;
    if (context.method === 'publickey') context.accept();
    else context.reject(['publickey']);
  });
  client.on('session', (accept) => {
    accept().on('exec', (acceptExec) => {
      const channel = acceptExec();
      let stdin = '';
      channel.on('data', (chunk: Buffer) => (stdin += chunk.toString('latin1')));
      channel.on('end', () => {
        const mark = stdin.split(' ', 2)[1] ?? '';
        channel.write(Buffer.from(answerOf(user, mark), 'latin1'));
        channel.exit(0);
        channel.end();
      });
    });
  });
});
server.listen(Number(port), '0.0.0.0', () => process.stdout.write('ready\n'));
