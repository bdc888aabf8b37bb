/** What is about to be asked of a host. */
export interface Mark {
  readonly host: string;
  /** Of the script's request line; `command` for anything else. */
  readonly verb: string;
  /** The job it is about, or `-`. */
  readonly job: string;
}

export function markOf({ host, verb, job }: Mark): string {
  return `fettle-mark ${host} ${verb} ${job}\n`;
}

/** Reads what `markOf` wrote out of a string as strace shows it. */
export function parseMark(shown: string): Mark | undefined {
  const [, host, verb, job] = /^fettle-mark (\S+) (\S+) (\S+)\\n/.exec(shown) ?? [];
  return host === undefined || verb === undefined || job === undefined ? undefined : { host, verb, job };
}
