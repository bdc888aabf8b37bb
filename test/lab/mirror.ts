import { run } from './shell.ts';

/** The release every lab host runs. */
export const debianRelease = 'bookworm';

/**
 * The Debian mirror that this machine's own apt sources name for the release.
 * @throws Error when they name none.
 */
export async function debianMirror(): Promise<string> {
  const format = '$(REPO_URI)|$(CODENAME)|$(RELEASE)|$(COMPONENT)';
  const lines = (await run(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'])).split('\n');
  const targets = lines.map((line) => line.split('|'));
  const own = targets.find((words) => words[2] === debianRelease && words[3] === 'main');
  const other = targets.find((words) => /\/debian\/?$/.test(words[0] ?? '') && words[3] === 'main');
  const uri = (own ?? other)?.[0];
  if (uri === undefined) throw new Error(`the apt sources of this machine name no mirror of Debian ${debianRelease}`);
  return uri;
}

export async function nativeArchitecture(): Promise<string> {
  return (await run(['dpkg', '--print-architecture'])).trim();
}
