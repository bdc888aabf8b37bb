// fettle beside Ansible's own loader: hosts, groups, every variable of every host, and what patterns select.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { filesWith, type TestFiles } from '../config/files.ts';
import { corpus, type CorpusCase } from './ansible-corpus.ts';
import { fuzz } from './ansible-fuzz.ts';
import { AnsiblePeer, hasAnsible, readHere, type Reading, type ReadingRequest } from './ansible-peer.ts';

const skip = !hasAnsible && 'Ansible is not installed: inventories are not compared with it';

describe('an inventory is read as Ansible reads it', { skip }, () => {
  let peer: AnsiblePeer;
  before(() => {
    peer = new AnsiblePeer();
  });
  after(() => peer[Symbol.asyncDispose]());

  const seed = Number(process.env['FETTLE_FUZZ_SEED'] ?? Math.floor(Date.now() / 1000));
  test(`made by chance (FETTLE_FUZZ_SEED=${seed})`, async () => {
    const { equal, different } = await fuzz(peer, { seed, count: 150 });
    assert.deepEqual(different, []);
    assert.ok(equal > 40, `${equal} were read by both`);
  });

  for (const one of corpus) {
    const end = one.differs === undefined ? '' : `: not, since ${one.differs}`;
    test(`${one.title}${end}`, async () => {
      await using files = await filesWith(one.files);
      const request = requestOf(one, files);
      const [here, there] = await Promise.all([readHere(request), peer.read(request)]);
      if (one.differs !== undefined) {
        assert.notDeepEqual(here, there);
        return;
      }
      assert.equal('refused' in there, one.isRefused ?? false, JSON.stringify(there));
      assert.equal('refused' in here, one.isRefused ?? false, JSON.stringify(here));
      if ('refused' in here || 'refused' in there) return;
      compare(here, there, request);
    });
  }
});

function compare(here: Reading, there: Reading, { patterns }: ReadingRequest): void {
  assert.deepEqual(here.hosts, there.hosts);
  assert.deepEqual(here.groups, there.groups);
  for (const [at, { select, limit = 'all' }] of patterns.entries()) {
    // What Ansible refuses selects nothing here.
    assert.deepEqual(here.selected[at] ?? [], there.selected[at] ?? [], `${select} limited to ${limit}`);
  }
}

function requestOf(
  { files, sources, extraVars = [], patterns = [] }: CorpusCase,
  { directory }: TestFiles,
): ReadingRequest {
  const named = sources ?? ['hosts.yaml', 'hosts'].filter((name) => name in files).slice(0, 1);
  const within = (text: string): string => text.replaceAll('DIR', directory);
  return {
    sources: named.map((name) => (name.includes(',') ? name : `${directory}/${name}`)),
    extraVars: extraVars.map(within),
    patterns: patterns.map((pattern) => {
      const { select, limit } = typeof pattern === 'string' ? { select: pattern, limit: undefined } : pattern;
      return { select: within(select), ...(limit === undefined ? {} : { limit: within(limit) }) };
    }),
  };
}
