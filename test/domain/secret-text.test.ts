import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sealDeep, sealText, sealUrls } from '../../src/domain/secret-text.ts';
import { Secret } from '../../src/domain/secret.ts';

describe('a secret in text is sealed', () => {
  const holds: readonly [text: string, sealed: string][] = [
    ['mysql --password=hunter2 -e x', 'mysql --password=*** -e x'],
    ['mysql -u root -phunter2 db', 'mysql -u root -p*** db'],
    ['sshpass -p hunter2 ssh web', 'sshpass -p *** ssh web'],
    ['tool --api-key hunter2; next', 'tool --api-key ***; next'],
    ['tool --become-password "hunter 2" x', 'tool --become-password *** x'],
    ['PGPASSWORD=hunter2 psql', 'PGPASSWORD=*** psql'],
    ["export MYSQL_PWD='hunter 2'", 'export MYSQL_PWD=***'],
    ['snmp_community = hunter2', 'snmp_community = ***'],
    ['the new password: hunter2', 'the new password: ***'],
    [`curl -d '{"user": "a", "password": "hunter2"}' x`, `curl -d '{"user": "a", "password": "***"}' x`],
    ['curl -u alice:hunter2 https://host/', 'curl -u alice:*** https://host/'],
    ['curl https://alice:hunter2@host:8443/x?y', 'curl https://alice:***@host:8443/x?y'],
    ['curl https://alice:hunt@er2@host/', 'curl https://alice:***@host/'],
    ["curl -H 'Authorization: Bearer hunter2' x", "curl -H 'Authorization: Bearer ***' x"],
  ];
  for (const [text, sealed] of holds) {
    test(text.replace(/hunt\S*2/g, '…'), () => assert.equal(sealText(text), sealed));
  }

  const holdsNone: readonly string[] = [
    'tool --password-file /etc/fettle/password',
    'mysql --password="$PASSWORD" -p$PASSWORD',
    'curl -H "Authorization: Bearer $TOKEN" -u "alice:$PASSWORD" http://host:8080/a@b',
    'read -r password; echo "password: "; [ "$password" = "x" ] && token=$(cat /run/token)',
    'pass=0; fail=0; pass=12',
    'basic maintenance, bearer of news, the password policy: yearly',
    'ssh://root@host/ and https://host:8080/x',
    'curl -u',
    'passage: north',
  ];
  for (const text of holdsNone) test(`and not in: ${text}`, () => assert.equal(sealText(text), text));

  test('at every depth of a value, and nothing else is changed', () => {
    const secret = new Secret('x');
    const value = { proxy: 'http://a:b@c/', list: ['token=x', 1, null], secret };
    assert.deepEqual(sealDeep(value), { proxy: 'http://a:***@c/', list: ['token=***', 1, null], secret });
  });
});

test('sealing costs linear time: a megabyte of any shape comes to an end', () => {
  const shapes = [
    '://',
    '://a:',
    'a:',
    'password="',
    "password='",
    'token=$',
    '--token ',
    'curl ',
    'curl -u a',
    'mysql ',
    'mysql -',
    'a',
    '"token"',
    'authorization: basic ',
  ];
  for (const shape of shapes) {
    const text = shape.repeat(1_000_000 / shape.length);
    assert.ok(sealText(text).length > 0);
    assert.ok(sealUrls(text).length > 0);
  }
});
