import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Rig } from './rig.ts';

describe('ssh settings that are wrong', () => {
  let connections = 0;
  let server: Server;
  before(async () => {
    server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  for (const command of [['ping'], ['scan'], ['plan', 'playbook.yaml', '-o', 'plan.json'], ['exec', '--', 'true']]) {
    test(`fettle ${command[0]} reports it once for the whole fleet, before any host is contacted`, async () => {
      await using rig = await Rig.make();
      const { port } = server.address() as AddressInfo;
      const vars = `{ansible_host: 127.0.0.1, ansible_port: ${port}, ansible_ssh_common_args: -o Nonsense=yes}`;
      await rig.write('inventory.yaml', `all: {hosts: {"web[01:20]": }, vars: ${vars}}\n`);
      await rig.write('playbook.yaml', 'kind: patch\nversion: 1\nname: nightly\ntargets: {select: all}\n');
      const { code, stderr } = await rig.run([...command]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /the ssh argument -o Nonsense=yes .* is not recognised; in all: web\[01-20\] \(20\)/);
      assert.equal(stderr.match(/Nonsense/g)?.length, 1);
      assert.equal(connections, 0);
    });
  }
});
