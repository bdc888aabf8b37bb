// The commands of the session contract in PowerShell, so that a host of Windows can be held to it.
import type { ExecRequest, Session } from '../../src/transport/session.ts';

const streams = `
$in = [Console]::OpenStandardInput(); $out = [Console]::OpenStandardOutput(); $err = [Console]::OpenStandardError()
function Say($Stream, [string]$Text) { $bytes = [Text.Encoding]::ASCII.GetBytes($Text); $Stream.Write($bytes, 0, $bytes.Length) }
function Fill($Stream, [int]$Count) {
  $bytes = New-Object byte[] 100000
  while ($Count -gt 0) { $part = [Math]::Min($Count, $bytes.Length); $Stream.Write($bytes, 0, $part); $Count -= $part }
}
function Read-Word { $word = ''; while (($byte = $in.ReadByte()) -gt 10) { $word += [char]$byte }; $word }
function Get-Mark { [IO.Path]::Combine([IO.Path]::GetTempPath(), (Read-Word)) }
`;

const sleep = (seconds: number): string => `[Threading.Thread]::Sleep(${seconds * 1_000})`;

/** What the contract says for a POSIX shell, and the same for PowerShell. */
const words: Readonly<Record<string, string>> = {
  true: 'exit 0',
  'exit 3': 'exit 3',
  'echo x': 'Say $out "x`n"',
  'echo on': 'Say $out "on`n"',
  'echo out; echo err >&2; exit 7': 'Say $out "out`n"; Say $err "err`n"; exit 7',
  'echo here; sleep 5': `Say $out "here\`n"; ${sleep(5)}`,
  'sleep 5': sleep(5),
  cat: '$in.CopyTo($out)',
  'cat; sleep 0.05': `$in.CopyTo($out); ${sleep(0.05)}`,
  'wc -c': '$all = New-Object IO.MemoryStream; $in.CopyTo($all); Say $out ([string]$all.Length)',
  'exec <&-; exit 4': '$in.Dispose(); exit 4',
  'head -c 100000 /dev/zero; head -c 50000 /dev/zero >&2': 'Fill $out 100000; Fill $err 50000',
  'head -c 20000000 /dev/zero >&2; echo done': 'Fill $err 20000000; Say $out "done`n"',
  'IFS= read -r mark; head -c 40000000 /dev/zero; : >"$mark"':
    '$mark = Get-Mark; Fill $out 40000000; [IO.File]::WriteAllText($mark, [string]::Empty)',
  'IFS= read -r mark; sleep 0.1; test -e "$mark"': `$mark = Get-Mark; ${sleep(0.1)}; if ([IO.File]::Exists($mark)) { [IO.File]::Delete($mark); exit 0 }; exit 1`,
  'printf %s "name? " >&2; read name; echo "ready" >&2; echo "after $name" >&2; cat':
    'Say $err "name? "; $name = Read-Word; Say $err "ready`n"; Say $err "after $name`n"; $in.CopyTo($out)',
};

/** The same session, whose commands are those of the contract. */
export function onWindows(session: Session): Session {
  return {
    hostName: session.hostName,
    transport: session.transport,
    shell: session.shell,
    get isAlive() {
      return session.isAlive;
    },
    exec: (request) => session.exec(inPowerShell(request)),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function inPowerShell(request: ExecRequest): ExecRequest {
  const text = words[request.command];
  if (text === undefined) throw new Error(`the contract has a command without words for Windows: ${request.command}`);
  const encoded = Buffer.from(`$ProgressPreference = 'SilentlyContinue'\n${streams}${text}`, 'utf16le').toString(
    'base64',
  );
  const command = `%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand ${encoded}`;
  // Its marks are files of this machine; over there they lie among its own temporary ones.
  const { stdin } = request;
  const isMark = request.command.includes('read -r mark') && typeof stdin === 'string';
  return { ...request, command, ...(isMark ? { stdin: stdin.replaceAll('/', '-') } : {}) };
}
