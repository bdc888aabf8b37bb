import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { jsonList, jsonObject, safeJson, type JsonShape } from '../../../src/report/text/json.ts';
import { nasty, steering } from '../fake-output.ts';

interface Row {
  readonly host: string;
  readonly port?: number;
}

const shape: JsonShape<Row> = {
  name: 'things',
  list: 'things',
  version: 2,
  fields: { host: (row) => row.host, port: (row) => row.port },
};

test('a document names its schema, and a field without a value is null', () => {
  assert.deepEqual(jsonList(shape, [{ host: 'a' }]), {
    schema: 'fettle/things/2',
    things: [{ host: 'a', port: null }],
  });
  assert.deepEqual(jsonObject('stats/1', { events: 1, first: undefined }), {
    schema: 'fettle/stats/1',
    events: 1,
    first: null,
  });
});

test('fields are chosen and ordered by name', () => {
  assert.deepEqual(Object.keys((jsonList(shape, [{ host: 'a' }], 'port, host')['things'] as object[])[0] ?? {}), [
    'port',
    'host',
  ]);
  assert.deepEqual(jsonObject('stats/1', { events: 1, runs: 2 }, 'runs'), { schema: 'fettle/stats/1', runs: 2 });
});

test('an unknown field is a usage error that lists all there are, also for no rows', () => {
  for (const choice of ['hots', 'host,hots', 'constructor', ',']) {
    assert.throws(
      () => jsonList(shape, [], choice),
      (error) => error instanceof FettleError && error.code === 'usage' && error.hint === 'fields: host, port',
    );
  }
});

test('JSON text means the same and holds nothing that steers a terminal', () => {
  const value = { [nasty]: nasty, tag: '\u{e0041}', ok: 'é日' };
  for (const indent of [undefined, 2]) {
    const text = safeJson(value, indent);
    assert.deepEqual(steering(text), []);
    assert.deepEqual(JSON.parse(text), value);
  }
});
