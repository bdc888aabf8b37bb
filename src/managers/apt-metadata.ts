import type { Metadata, Repository } from '../domain/scan.ts';
import type { Sections } from './manager.ts';
import { linesOf } from './sections.ts';

interface ReleaseFile {
  readonly file: string;
  readonly fetchedMs: number;
  readonly fields: ReadonlyMap<string, string>;
}

function readReleaseFiles(sections: Sections): readonly ReleaseFile[] {
  return linesOf(sections, 'apt-metadata').map((line) => {
    const [file = '', mtime = '', ...pairs] = line.split('\t', 20);
    const fields = pairs
      .filter((pair) => pair.includes('='))
      .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
    return { file, fetchedMs: Number(mtime) * 1000, fields: new Map(fields) };
  });
}

/**
 * How old the host's knowledge is. apt sets the modification time of a Release file to the server's, so a file's own
 * time says when it changed there; the newest of all says when the host last looked.
 */
export function readMetadata(sections: Sections, collectedMs: number, maxAgeMs: number): Metadata {
  const files = readReleaseFiles(sections);
  const lookedSec = Number(linesOf(sections, 'apt-looked')[0]);
  const repositories = files.map((item): Repository => {
    const released = Date.parse(item.fields.get('Date') ?? '');
    const label = item.fields.get('Label') ?? item.fields.get('Origin') ?? item.file;
    return {
      name: `${label} ${item.fields.get('Codename') ?? item.fields.get('Suite') ?? ''}`.trim(),
      ...(Number.isFinite(released) ? { releasedMs: released } : {}),
      ...(item.fetchedMs > 0 ? { fetchedMs: item.fetchedMs } : {}),
      ...expiry(item.fields.get('Valid-Until'), collectedMs),
    };
  });
  const missing = linesOf(sections, 'apt-targets').flatMap((line): Repository[] => {
    const [state, site = ''] = line.split('\t', 2);
    return state === '-' ? [{ name: site, problem: 'was never fetched, or is not there any more' }] : [];
  });
  const newest = files.reduce((latest, { fetchedMs }) => (fetchedMs > latest ? fetchedMs : latest), 0);
  const fetchedMs = Number.isFinite(lookedSec) && lookedSec > 0 ? lookedSec * 1000 : newest;
  return {
    ...(fetchedMs > 0 ? { fetchedMs } : {}),
    repositories: [...repositories, ...missing],
    isStale: fetchedMs === 0 || collectedMs - fetchedMs > maxAgeMs,
  };
}

/** apt refuses lists past their date at the next refresh: the repository is dead, or the host's clock is wrong. */
function expiry(validUntil: string | undefined, nowMs: number): Pick<Repository, 'problem'> {
  const untilMs = Date.parse(validUntil ?? '');
  if (!Number.isFinite(untilMs) || untilMs >= nowMs) return {};
  return { problem: `its lists expired on ${new Date(untilMs).toISOString().slice(0, 10)}` };
}
