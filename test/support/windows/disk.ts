import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WindowsModel } from './model.ts';

/** Disk of the host: Windows' folders, and its executables as files that start the engine. */
export function furnish(directory: string, engine: string): void {
  const system32 = join(directory, 'c', 'Windows', 'System32');
  const powershell = join(system32, 'WindowsPowerShell', 'v1.0');
  for (const path of [
    powershell,
    ...['ProgramData', 'Program Files', 'Windows/TEMP'].map((name) => join(directory, 'c', name)),
  ]) {
    mkdirSync(path, { recursive: true });
  }
  executable(join(powershell, 'powershell.exe'), `exec '${engine}' "$@"`);
  executable(join(system32, 'shutdown.exe'), `exec '${engine}' --shutdown "$@"`);
}

function executable(path: string, line: string): void {
  writeFileSync(path, `#!/bin/sh\n${line}\n`);
  chmodSync(path, 0o755);
}

/** Replaces model.json as a whole; whoever may have a rival holds the lock. */
export function writeModel(directory: string, model: WindowsModel): void {
  const path = join(directory, 'model.json');
  writeFileSync(`${path}.node`, JSON.stringify(model, null, 2));
  renameSync(`${path}.node`, path);
}

export function readModel(directory: string): WindowsModel {
  return JSON.parse(readFileSync(join(directory, 'model.json'), 'utf8')) as WindowsModel;
}

/** Variables that every process of the host has. */
export function hostEnvironment(directory: string, computerName: string): Record<string, string> {
  const drive = join(directory, 'c');
  const temp = join(drive, 'Windows', 'TEMP');
  return {
    FETTLE_WINDOWS_MODEL: directory,
    SystemDrive: drive,
    SystemRoot: join(drive, 'Windows'),
    windir: join(drive, 'Windows'),
    ProgramData: join(drive, 'ProgramData'),
    ProgramFiles: join(drive, 'Program Files'),
    TEMP: temp,
    TMP: temp,
    COMPUTERNAME: computerName,
    PROCESSOR_ARCHITECTURE: 'AMD64',
  };
}
