import { contractOf } from './contract/contract.ts';

contractOf({
  manager: 'apt',
  host: (packages) => ({ packages }),
  version: (version) => `${version}-1`,
  installed: async (lab, host, name) => {
    const [status, version = ''] = (await lab.packageState(host, name))?.split(' ') ?? [];
    return status === 'ii' ? [version] : [];
  },
  holdLock: (host, name) => host.holdLock('/var/lib/dpkg/lock-frontend', name),
  moveOn: async ({ repo }) => {
    await repo.publish({ name: 'lab-moved', version: '1.2-1', suite: 'updates' });
    await repo.remove('lab-moved', { version: '1.1-1' });
  },
});
