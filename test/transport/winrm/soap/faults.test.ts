import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Endpoint } from '../../../../src/transport/winrm/http/endpoint.ts';
import {
  describeFault,
  faultError,
  isHeartbeat,
  readFault,
  type FaultClass,
} from '../../../../src/transport/winrm/soap/faults.ts';
import { parseXml } from '../../../../src/domain/xml.ts';

const endpoint: Endpoint = { hostName: 'win01', address: '10.0.0.1', port: 5986, scheme: 'https', path: '/wsman' };

function envelope(detail: string, subcode = 'w:InternalError'): string {
  return (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">' +
    `<s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code>` +
    `<s:Reason><s:Text xml:lang="de-DE">Der Grund. </s:Text></s:Reason>${detail}</s:Fault></s:Body></s:Envelope>`
  );
}

function wsman(code: string, inner: string): string {
  return (
    '<s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" ' +
    `Code="${code}" Machine="win01"><f:Message>${inner}</f:Message></f:WSManFault></s:Detail>`
  );
}

describe('a fault', () => {
  test('has the number of its outer and the words of its innermost part', () => {
    const nested =
      '<f:ProviderFault provider="Shell" path="winrscmd.dll"><f:WSManFault Code="87" Machine="x">' +
      '<f:Message>The parameter\r\n is incorrect. </f:Message></f:WSManFault></f:ProviderFault>';
    const fault = readFault(parseXml(envelope(wsman('2150858843', nested))));
    assert.deepEqual(fault, { code: 2150858843, subcode: 'InternalError', message: 'The parameter is incorrect' });
  });

  test('without any of that has its reason and its subcode', () => {
    assert.deepEqual(readFault(parseXml(envelope('', 'w:AccessDenied'))), {
      code: undefined,
      subcode: 'AccessDenied',
      message: 'Der Grund',
    });
  });

  test('may come as an object of WMI', () => {
    const detail =
      '<s:Detail><p:MSFT_WmiError xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2/MSFT_WmiError">' +
      '<p:error_Code>2150859174</p:error_Code></p:MSFT_WmiError></s:Detail>';
    assert.equal(readFault(parseXml(envelope(detail)))?.code, 2150859174);
  });

  test('may have a negative number, which is the same one', () => {
    assert.equal(readFault(parseXml(envelope(wsman('-2144108503', 'x'))))?.code, 2150858793);
    assert.equal(readFault(parseXml(envelope(wsman('12345678901', 'x'))))?.code, undefined);
    assert.equal(readFault(parseXml(envelope(wsman('0x1', 'x'))))?.code, undefined);
  });

  test('is not there in an answer without one', () => {
    assert.equal(
      readFault(parseXml('<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>')),
      undefined,
    );
    assert.equal(readFault(parseXml('<Fault/>')), undefined);
  });

  test('of the time-out is the heartbeat, by number or by subcode', () => {
    const plain = { message: '', subcode: undefined };
    assert.equal(isHeartbeat({ ...plain, code: 2150858793 }), true);
    assert.equal(isHeartbeat({ ...plain, code: undefined, subcode: 'TimedOut' }), true);
    assert.equal(isHeartbeat({ ...plain, code: 5, subcode: 'TimedOut' }), false);
  });

  test('is classified by its number', () => {
    const classes: Readonly<Record<number, FaultClass>> = {
      5: 'auth',
      87: 'fatal',
      170: 'transient',
      1115: 'transient',
      8: 'transient',
      14: 'transient',
      1018: 'sessionReset',
      1455: 'transient',
      1816: 'transient',
      0x80070005: 'auth',
      0x8007000e: 'transient',
      0x800703fa: 'sessionReset',
      0x800705af: 'transient',
      0x80070718: 'transient',
      2150858790: 'configuration',
      2150858843: 'sessionReset',
      2150859173: 'quota',
      2150859174: 'sessionReset',
      2150859180: 'configuration',
      2150859237: 'quota',
      4000000000: 'fatal',
    };
    for (const [code, expected] of Object.entries(classes)) {
      const described = describeFault({ code: Number(code), subcode: undefined });
      assert.equal(described.class, expected, code);
      assert.ok(described.hint.length > 10);
    }
    assert.equal(describeFault({ code: undefined, subcode: 'AccessDenied' }).class, 'auth');
  });

  test('means the same as a Win32 code and as its HRESULT', () => {
    for (const code of [5, 14, 87, 170, 995, 1018, 1115, 1326, 1450, 1455, 1722, 1726, 1816]) {
      const [plain, wrapped] = [code, 0x8007_0000 + code].map((one) =>
        describeFault({ code: one, subcode: undefined }),
      );
      assert.deepEqual(wrapped, plain, String(code));
    }
  });

  test('of a denied access that the service calls an internal error passes; its own denial does not', () => {
    const code = 2147942405;
    const passing = describeFault({ code, subcode: 'InternalError' });
    assert.deepEqual([passing.class, passing.symbol], ['transient', 'ERROR_ACCESS_DENIED']);
    assert.match(passing.hint, /try again.*administrator/);
    assert.equal(describeFault({ code, subcode: 'AccessDenied' }).class, 'auth');
    assert.equal(describeFault({ code: 5, subcode: 'InternalError' }).class, 'auth');
  });

  test('as an error names host, port, phase, number and symbol', () => {
    const error = faultError(endpoint, 'create', { code: 5, subcode: undefined, message: 'Access is denied' });
    assert.equal(error.code, 'auth');
    assert.equal(
      error.message,
      'win01 (10.0.0.1) port 5986 answers with a fault: Access is denied [5, ERROR_ACCESS_DENIED] (create)',
    );
    assert.match(error.hint ?? '', /LocalAccountTokenFilterPolicy/);
    const { host, port, phase, fault } = error.details ?? {};
    assert.deepEqual([host, port, phase, fault], ['win01', 5986, 'create', 5]);
  });

  test('with endless words is cut', () => {
    const fault = readFault(parseXml(envelope(wsman('87', 'x'.repeat(5_000)))));
    assert.equal(fault?.message.length, 401);
  });
});
