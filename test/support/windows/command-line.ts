/** What `cmd.exe /c` makes of a line: words for the PowerShell engine, or an answer of its own. */
export type ParsedCommand =
  { kind: 'powershell'; args: string[] } | { kind: 'text'; stdout: string; stderr: string; code: number };

/** cmd.exe's own limit, in characters; WinRS always goes through it. */
const lineLimit = 8191;

export function parseCommandLine(line: string, environment: Readonly<Record<string, string>>): ParsedCommand {
  if (line.length > lineLimit) return text('', 'The command line is too long.\r\n', 1);
  const words = split(expand(line, environment));
  const [program = '', ...args] = words;
  const name = program.split(/[\\/]/).at(-1)?.toLowerCase() ?? '';
  if (name === 'powershell.exe' || name === 'powershell') return { kind: 'powershell', args };
  if (name === 'echo') return text(`${args.join(' ')}\r\n`, '', 0);
  if (name === 'ver') return text('\r\nMicrosoft Windows [Version 10.0.20348.4052]\r\n', '', 0);
  if (name === 'exit') return text('', '', Number(args.at(-1) ?? 0));
  if (name === 'cmd' || name === 'cmd.exe') return parseCommandLine(args.slice(1).join(' '), environment);
  const words2 = `'${program}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n`;
  return text('', words2, 1);
}

function text(stdout: string, stderr: string, code: number): ParsedCommand {
  return { kind: 'text', stdout, stderr, code };
}

/** `%NAME%` is replaced where the variable exists, without regard to case. */
function expand(line: string, environment: Readonly<Record<string, string>>): string {
  const byName = new Map(Object.entries(environment).map(([name, value]) => [name.toLowerCase(), value]));
  return line.replaceAll(/%([^%]+)%/g, (whole, name: string) => byName.get(name.toLowerCase()) ?? whole);
}

/** Words between blanks; double quotes keep blanks, and go. */
function split(line: string): string[] {
  return (line.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((word) => word.replaceAll('"', ''));
}
