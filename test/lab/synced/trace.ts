// Reads what `strace -f -ttt -T -yy` wrote.

/** One system call. `startedAt` and `endedAt` are lines of the trace: what ended on an earlier line was over before. */
export interface SystemCall {
  readonly pid: string;
  readonly name: string;
  /** As strace shows them; of a file descriptor with its path or its socket's addresses. */
  readonly arguments: string;
  /** Empty where the trace ends before the call does. */
  readonly result: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Epoch seconds. */
  readonly startedSec: number;
  readonly endedSec: number;
}

const whole = /^(\d+) +(\d+\.\d+) (\w+)\((.*)\) += (.*?)(?: <(\d+\.\d+)>)?$/s;
const begun = /^(\d+) +(\d+\.\d+) (\w+)\((.*) <unfinished \.\.\.>$/s;
const resumed = /^(\d+) +(\d+\.\d+) <\.\.\. (\w+) resumed>(.*)\) += (.*?)(?: <(\d+\.\d+)>)?$/s;

/** In the order in which they began. Lines that are no system calls (signals, exits) are passed over. */
export function parseTrace(text: string): readonly SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, number>();
  for (const [at, line] of text.split('\n').entries()) {
    const one = whole.exec(line);
    if (one !== null) {
      const [, pid = '', startedText, name = '', words = '', result = '', tookText = '0'] = one;
      const startedSec = Number(startedText);
      const endedSec = startedSec + Number(tookText);
      calls.push({ pid, name, arguments: words, result, startedAt: at, endedAt: at, startedSec, endedSec });
      continue;
    }
    const first = begun.exec(line);
    if (first !== null) {
      const [, pid = '', startedText, name = '', words = ''] = first;
      const startedSec = Number(startedText);
      open.set(pid, calls.length);
      const never = { endedAt: Number.POSITIVE_INFINITY, endedSec: Number.POSITIVE_INFINITY, result: '' };
      calls.push({ pid, name, arguments: words, startedAt: at, startedSec, ...never });
      continue;
    }
    const [, pid = '', endedText, , words = '', result = ''] = resumed.exec(line) ?? [];
    const index = open.get(pid) ?? -1;
    const half = calls[index];
    open.delete(pid);
    if (half === undefined) continue;
    calls[index] = { ...half, arguments: half.arguments + words, result, endedAt: at, endedSec: Number(endedText) };
  }
  return calls;
}
