import type { WindowsHost } from './host.ts';
import type { HostProcess } from '../winrm-server/command-host.ts';

export interface PowerShellResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** Runs a script on the host as fettle would start it, with `stdin` as its input. */
export async function runOnWindows(host: WindowsHost, script: string, stdin = ''): Promise<PowerShellResult> {
  const program = String.raw`%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe`;
  const line = `${program} -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ${encode(script)}`;
  return runLine(host, line, stdin);
}

/** The same as the task `task` of SYSTEM would run it, without a Task Scheduler. */
export async function runAsSystem(host: WindowsHost, script: string): Promise<PowerShellResult> {
  return collect(host.startAsSystem(['-NoProfile', '-EncodedCommand', encode(script)]), '');
}

/** Runs a command line as `cmd /c` of the host would. */
export async function runLine(host: WindowsHost, line: string, stdin = ''): Promise<PowerShellResult> {
  return collect(host.start(line), stdin);
}

function encode(script: string): string {
  return Buffer.from(script, 'utf16le').toString('base64');
}

async function collect(started: HostProcess, stdin: string): Promise<PowerShellResult> {
  const result = { stdout: '', stderr: '' };
  started.onOutput((stream, bytes) => (result[stream] += bytes.toString('latin1')));
  started.write(Buffer.from(stdin), true);
  const code = await started.ended;
  return { ...result, code };
}
