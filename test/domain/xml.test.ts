import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attribute, childOf, descendants, escapeXml, parseXml } from '../../src/domain/xml.ts';
import { FettleError } from '../../src/domain/error.ts';
import { mutations, randomText, seeded } from '../transport/winrm/fuzz.ts';

const sample =
  '<?xml version="1.0" encoding="UTF-8"?><!-- c --><s:E xmlns:s="urn:s" xmlns="urn:d" a="1" s:b="x &lt; &#x41;&#66;">' +
  '<one>t<![CDATA[<&>]]>u</one><s:two/><one xmlns="">3</one></s:E>';

function refused(text: string, words: RegExp): void {
  assert.throws(
    () => parseXml(text),
    (error: unknown) => error instanceof FettleError && error.code === 'parse' && words.test(error.message),
    text,
  );
}

describe('XML', () => {
  test('elements and attributes are in the namespaces that are declared around them', () => {
    const root = parseXml(sample);
    assert.deepEqual([root.namespace, root.name], ['urn:s', 'E']);
    assert.deepEqual(root.attributes, [
      { namespace: '', name: 'a', value: '1' },
      { namespace: 'urn:s', name: 'b', value: 'x < AB' },
    ]);
    assert.equal(childOf(root, 'urn:d', 'one')?.text, 't<&>u');
    assert.equal(childOf(root, 'urn:s', 'two')?.text, '');
    assert.equal(childOf(root, '', 'one')?.text, '3');
    assert.equal(attribute(root, 'a'), '1');
    assert.equal(descendants(root, 'urn:d', 'one').length, 1);
  });

  test('line ends are read as XML has them', () => {
    assert.equal(parseXml('<a>1\r\n2\r3\n</a>').text, '1\n2\n3\n');
  });

  test('what is escaped comes back as it was', () => {
    const text = `a&b<c>"d'\r\n\te\u{1F600}é`;
    const root = parseXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`);
    assert.equal(root.text, text);
    assert.equal(attribute(root, 'b'), text);
  });

  test('characters that XML cannot carry are refused, not dropped', () => {
    for (const text of ['\u0000', '\u001b', '\ud800', '\uffff']) {
      assert.throws(() => escapeXml(text), { code: 'command' });
    }
  });

  test('document types, unknown entities and undeclared prefixes are refused', () => {
    refused('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', /document type/);
    refused('<a>&x;</a>', /unknown entity/);
    refused('<a>&#0;</a>', /unknown entity/);
    refused('<a>&#xD800;</a>', /unknown entity/);
    refused('<a>& b</a>', /unknown entity/);
    refused('<b:a/>', /not declared/);
    refused('<a b:c="1"/>', /not declared/);
  });

  test('what is not well-formed is refused', () => {
    for (const text of [
      '',
      ' ',
      'x',
      '<',
      '<a',
      '<a>',
      '<a></b>',
      '</a>',
      '<a/><b/>',
      '<a/>x',
      '<a b=1/>',
      '<a b="<"/>',
    ]) {
      refused(text, /cannot be read/);
    }
    refused('<a b="1" b="2"/>', /given twice/);
    refused('<!-- <a/>', /does not end/);
    refused('<a><![CDATA[</a>', /does not end/);
  });

  test('depth, elements and attributes are limited', () => {
    refused('<a>'.repeat(65), /too deeply/);
    refused(`<a>${'<b/>'.repeat(200_001)}</a>`, /too many elements/);
    refused(`<a ${Array.from({ length: 65 }, (_, at) => `b${at}=""`).join(' ')}/>`, /too many attributes/);
    refused('<a>'.padEnd(17 * 1024 * 1024, 'x'), /too long/);
  });

  test('any text is either read or refused as unreadable', () => {
    const random = seeded(1);
    const check = (text: string): void => {
      try {
        parseXml(text);
      } catch (error) {
        assert.ok(error instanceof FettleError && error.code === 'parse', `${String(error)} for ${text}`);
      }
    };
    for (let round = 0; round < 3_000; round += 1) check(randomText(random, '<>/&;"\'= :xmlns?!-[]CDATAa#1\n', 60));
    for (const mutated of mutations(random, Buffer.from(sample), 3_000)) check(mutated.toString('latin1'));
  });
});
