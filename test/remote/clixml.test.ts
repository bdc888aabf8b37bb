import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeClixml } from '../../src/remote/clixml.ts';

const head = '#< CLIXML\r\n';
const open = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">';
const error = (text: string): string => `<S S="Error">${text}</S>`;

describe('what PowerShell writes to stderr', () => {
  test('is left as it is where it is plain text', () => {
    assert.equal(decodeClixml('no such file\r\n'), 'no such file\r\n');
    assert.equal(decodeClixml(''), '');
  });

  test('is its errors and warnings, in order, without progress and verbose records', () => {
    const progress = '<Obj S="progress" RefId="0"><TN RefId="0"><T>x</T></TN><MS><I64 N="SourceId">1</I64></MS></Obj>';
    const records = `${progress}<S S="verbose">no</S>${error('one_x000D__x000A_')}<S S="Warning">two</S><S S="debug">no</S>`;
    assert.equal(decodeClixml(`${head}${open}${records}</Objs>`), 'one\r\ntwo');
  });

  test('is put together from several documents and what native programs wrote around them', () => {
    const text = `before\n${head}${open}${error('a')}</Objs>${open}${error('b')}</Objs>behind`;
    assert.equal(decodeClixml(text), 'before\nabbehind');
    assert.equal(decodeClixml(`${head}${open}${error('a')}</Objs>${head}${open}${error('b')}</Objs>`), 'ab');
  });

  test('has entities and escaped units undone once, pairs of surrogates too', () => {
    const text = error('&lt;a&gt; &amp;amp; &#x20AC;&#8364; _x005F_x0041_ _xD83D__xDE00_ _xD83D_ &unknown; _xZZZZ_');
    assert.equal(decodeClixml(`${head}${open}${text}</Objs>`), '<a> &amp; €€ _x0041_ 😀 \ufffd &unknown; _xZZZZ_');
  });

  test('of a PowerShell inside of a PowerShell is read through', () => {
    const inner = `${head}${open}${error('deep')}</Objs>`
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('\r\n', '_x000D__x000A_');
    assert.equal(decodeClixml(`${head}${open}${error(inner)}</Objs>`), 'deep');
  });

  test('cut off in the middle gives what was there', () => {
    const text = `${head}${open}${error('whole')}<S S="Error">half`;
    assert.equal(decodeClixml(text), 'wholehalf');
  });

  test('never throws and never grows, whatever the host writes', () => {
    const pieces = [
      head,
      open,
      '</Objs>',
      '<S S="Error">',
      '</S>',
      '_x00',
      '_x0041_',
      '&#x110000;',
      '&#x41;',
      '&amp',
      '<',
      '\0',
      '\ud800',
      'é',
    ];
    let state = 42;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state % below;
    };
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: next(40) }, () => pieces[next(pieces.length)]).join('');
      assert.ok(decodeClixml(text).length <= text.length, JSON.stringify(text));
    }
  });

  test('without an end is read in one pass, up to a limit', () => {
    for (const piece of ['<Objs', '<S S="Error">', '&#', '_x0041_', head, `${head}<Objs <S S="Error">`]) {
      const decoded = decodeClixml(`${head}${piece.repeat(2_000_000 / piece.length)}`);
      assert.ok(decoded.length <= 256 * 1024);
    }
  });
});
