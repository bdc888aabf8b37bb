/** A process that the server started for a WinRS command. */
export interface HostProcess {
  /** More stdin; `isEnd` closes it. */
  write(bytes: Uint8Array, isEnd: boolean): void;
  onOutput(listener: (stream: 'stdout' | 'stderr', bytes: Buffer) => void): void;
  /** Unsigned 32-bit exit code, as Windows tells it. */
  readonly ended: Promise<number>;
  /** Where it exists: false holds the process back until its output has been fetched. */
  setFlowing?(isFlowing: boolean): void;
  kill(): void;
}

/** What stands behind the server: runs command lines as `cmd /c` of the simulated host would. */
export interface CommandHost {
  start(commandLine: string): HostProcess;
  /** Rows of a WQL query, or undefined where the class is unknown. */
  query(wql: string): readonly Readonly<Record<string, string>>[] | undefined;
  /** Off or restarting: the server refuses connections or answers 503, as told. */
  readonly state: 'running' | 'booting' | 'off';
  /** Where it exists: another value means another boot; the server then forgets its shells and drops its connections. */
  readonly boot?: string | number;
}
