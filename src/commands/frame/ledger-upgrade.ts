// What is shown while a ledger of an older fettle is upgraded, which takes a minute for some hundred thousand events.
import { plural } from '../../base/text.ts';
import type { UpgradeProgress } from '../../ledger/events/rebuild.ts';
import { Picture } from '../../report/text/picture.ts';
import type { Context } from '../invocation/context.ts';

export interface UpgradeView extends Disposable {
  readonly show: (progress: UpgradeProgress) => void;
}

export interface UpgradedFile {
  readonly path: string;
  /** A ledger that is opened to read stays as it is: a copy is upgraded, and removed at the end. */
  readonly access: 'read' | 'write';
  readonly quiet: boolean;
}

/** Prints one line on stderr when the upgrade begins; nothing under `--quiet`. */
export function upgradeLine(file: UpgradedFile, { console }: Pick<Context, 'console'>): UpgradeView['show'] {
  let isAnnounced = false;
  return (progress) => {
    if (!isAnnounced) console.message(announcement(file, progress));
    isAnnounced = true;
  };
}

/** The same line and, on a terminal, the progress below it. */
export function openUpgradeView(
  file: UpgradedFile,
  { console, output }: Pick<Context, 'console' | 'output'>,
): UpgradeView {
  const announce = upgradeLine(file, { console });
  const picture = output.canRedraw && !file.quiet ? new Picture(output.screen) : undefined;
  return {
    show: (progress) => {
      announce(progress);
      picture?.draw(`  ${percent(progress)} of ${plural(progress.events, 'event')}`);
    },
    [Symbol.dispose]: () => picture?.clear(),
  };
}

function announcement({ path, access }: UpgradedFile, { from, to, events }: UpgradeProgress): string {
  const what = `from schema ${from} to ${to}: ${plural(events, 'event')}`;
  if (access === 'write') return `upgrading the ledger ${path} ${what}`;
  return `upgrading a copy of the ledger ${path} to read it, ${what}; the next run upgrades the ledger itself`;
}

function percent({ events, done }: UpgradeProgress): string {
  return `${events === 0 ? 100 : Math.floor((done / events) * 100)} %`;
}
