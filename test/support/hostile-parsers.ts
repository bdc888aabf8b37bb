// What reads texts of hosts, and texts that a hostile host may send. Runs as a worker, so that what never ends can be
// stopped from outside.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { cleanBlock, cleanLine, ellipsis, newestLine, shellWord } from '../../src/base/text.ts';
import { FettleError } from '../../src/domain/error.ts';
import type { PlannedUpdate } from '../../src/domain/plan.ts';
import { readInstalled } from '../../src/managers/apt/apt.ts';
import { readMetadata } from '../../src/managers/apt/metadata.ts';
import { parsePolicy, parseReleases } from '../../src/managers/apt/policy.ts';
import { parseAptSimulation } from '../../src/managers/apt/simulation.ts';
import { readUpdates } from '../../src/managers/apt/updates.ts';
import { readChocolatey } from '../../src/managers/chocolatey/chocolatey-lists.ts';
import { compareDebVersions, newestDebVersion } from '../../src/managers/versions/deb.ts';
import { describeHResult, parseHResult } from '../../src/managers/windows-update/hresult.ts';
import type { PackageManager } from '../../src/managers/contract/package-manager.ts';
import * as posix from '../../src/managers/family/posix-facts.ts';
import * as refusals from '../../src/managers/family/windows-refusals.ts';
import * as hostScan from '../../src/managers/host-scan.ts';
import * as registry from '../../src/managers/registry.ts';
import { firstLine, linesIn, linesOf, type Sections } from '../../src/managers/contract/sections.ts';
import * as windowsFacts from '../../src/managers/family/windows-facts.ts';
import { readHistory } from '../../src/managers/windows-update/history.ts';
import { readWindowsInstall } from '../../src/managers/windows-update/install.ts';
import { parseHostJson, textAt, textsAt } from '../../src/managers/contract/json.ts';
import { readWindowsUpdateScan } from '../../src/managers/windows-update/records.ts';
import { readWindowsUpdates } from '../../src/managers/windows-update/selection.ts';
import { parseSimulation } from '../../src/managers/windows-update/simulation.ts';
import { readSoftwareInstall } from '../../src/managers/windows-software/software-install.ts';
import { readSoftwareLists, type ListFormat } from '../../src/managers/windows-software/software-lists.ts';
import { simulateSoftware } from '../../src/managers/windows-software/software-simulation.ts';
import { readWinget } from '../../src/managers/winget/winget-lists.ts';
import { decodeClixml } from '../../src/remote/clixml.ts';
import { ElevationDialogue, readyOf } from '../../src/remote/elevation-dialogue.ts';
import { findFrame, parseFrame, parseFrameBytes, unreadable } from '../../src/remote/frame.ts';
import { decodeAnswer } from '../../src/remote/powershell.ts';
import { readFault } from '../../src/transport/winrm/soap/faults.ts';
import { ResponseReader } from '../../src/transport/winrm/http/http-response.ts';
import { bodyOf, readCommandId, readIdentity, readOutput, readShellId } from '../../src/transport/winrm/soap/soap.ts';
import { escapeXml, parseXml } from '../../src/domain/xml.ts';
import { decodeFramed, isSealed } from '../../src/transport/winrm/auth/token-framing.ts';
import { LineBuffer } from '../../src/report/text/line-buffer.ts';
import { probeSections } from '../fixtures/managers/windows-update/sections.ts';
import { sectionsOf as snapSections } from '../managers/snap/captured.ts';

const bytes = 1_000_000;
/** For each of the many sections of an answer. */
const sectionBytes = 200_000;
/** Shorter than the longest line that is read, so that nothing is refused for its length. */
const lineLength = 60_000;

/** Repeated to a megabyte; each is the beginning, the middle or the end of something that a parser looks for. */
const units: readonly string[] = [
  ...['a', ' ', '\r', '\x1b]0;', '\x9d\x90', '{"a":', '"', ',', '|', '-', ':', 'password'],
  ...['\x1eFETTLE a begin\n', '\n\x1ea x\n', '#< CLIXML', '<Objs', '<a ', '<a b="c" ', '&lt;'],
];

/** Those that a section in particular may be made of. */
const sectionUnits: readonly string[] = ['\n', '[', 'a b '];

/** The end of each line of what a parser takes for a beginning of its own. */
const beginnings: readonly string[] = [
  'Inst a (b',
  'Inst a [1] (2 o',
  'Remv a [',
  ' *** 1 500 (phased ',
  'tcp a b c d ',
];

/** Texts of many short lines that are in order: nothing but their number is hostile. */
const records: readonly string[] = [
  'Inst a# [1] (2 o [x])\n',
  'Remv a# [1]\n',
  'a#\tx\t1\tii \ta\t1\n',
  'version\ta\tx\t#-1\tr\t1\ta-#-1.src.rpm\t\n',
  'advisory\ta\tx\t#-1\ta#\tsecurity\tlow\t1\tc#\n',
  'rename\ta\tx\t1-1\tb#\tx\t1-1\tr\n',
  'a#,x,1-1\n',
  'a#\tx\t1-1\ta\t1\t\tb#,c\tc=#\n',
  'a#\t1-1\tr\tx\tb,a\tb=1\tb#\n',
  '(1/9) Upgrading a#@x (1-r0 -> 2-r0)\n',
  'a#-2-r0 x {a} (b) [upgradable from: a#-1-r0]\n',
  'step\ta#\t1-1\tr\t1\n',
  'a# 1-1 -> 2-1\n',
  'a#:\n  Installed: 1\n  Candidate: 2\n  Version table:\n     2 500\n        500 o\n',
  ' 500 o#\n     release o=a,l=b\n',
  '1#\tname\tunit\n',
  'tcp LISTEN 0 1 0.0.0.0:# 0.0.0.0:* users:(("a",pid=1,fd=3))\n',
  '/dev/a 1 1 1 1% /m#\n',
];

interface Shape {
  readonly name: string;
  readonly text: string;
}

function repeated(unit: string, length: number): string {
  return unit.repeat(Math.ceil(length / unit.length));
}

const shown = (text: string): string => JSON.stringify(text);

function repetitions(texts: readonly string[]): Shape[] {
  return texts.map((unit) => ({ name: `${shown(unit)} again and again`, text: repeated(unit, bytes) }));
}

/** For every part of an answer. */
const sectionShapes: readonly Shape[] = [
  ...repetitions(sectionUnits),
  ...beginnings.map((beginning) => ({
    name: `lines of ${shown(beginning)} and many brackets`,
    text: repeated(`${beginning}${repeated(' [x', lineLength)}\n`, bytes),
  })),
  ...records.map((record) => ({
    name: `as many lines of ${shown(record)} as there is room for`,
    text: Array.from({ length: bytes / record.length }, (_, at) => record.replace('#', String(at))).join(''),
  })),
];

/** For every parser. */
const shapes: readonly Shape[] = [...repetitions(units), ...sectionShapes];

const planned: readonly PlannedUpdate[] = [];
const limits = { collectedMs: 1, maxAgeMs: 1 };

/** An answer that is in order but for one section. */
function spoilt(sections: Sections, name: string, text: string): Sections {
  return new Map([...sections, [name, text]]);
}

function captured(manager: string, ...names: readonly string[]): readonly Sections[] {
  return names.map((name) =>
    parseFrame(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'managers', manager, name, 'answer'))),
  );
}

/** Both lists of software are one text. */
function softwareLists(text: string): string {
  return JSON.stringify({ phase: 'done', installed: text, outdated: text, listCode: 1, outdatedCode: 0 });
}

const windowsManagers = 'windows-update\nchocolatey\nwinget';
const windowsSections = probeSections({
  sections: {
    managers: windowsManagers,
    scanned: windowsManagers,
    chocolatey: softwareLists('git|1.0'),
    winget: softwareLists(''),
  },
});

const [everything = new Map()] = captured('apt', 'everything');

const answersOf: Readonly<Record<string, readonly Sections[]>> = {
  apt: captured('apt', 'everything', 'simulate'),
  zypper: captured('zypper', 'everything', 'simulate'),
  pacman: captured('pacman', 'everything', 'simulate', 'replacing'),
  apk: captured('apk', 'everything', 'blocked'),
  dnf: captured('dnf', 'everything', 'simulate'),
  dnf5: captured('dnf5', 'everything', 'simulate'),
  snap: [snapSections({ asked: 'firefox 7355\n' })],
  flatpak: captured('flatpak', 'everything'),
  'windows-update': [windowsSections],
  chocolatey: [windowsSections],
  winget: [windowsSections],
};

/** Every question that is asked of a section, each section spoilt in turn. */
function managerRows(manager: PackageManager): { readonly name: string; readonly read: Row }[] {
  return (answersOf[manager.name] ?? []).flatMap((sections) => {
    const names = [...new Set([...sections.keys(), 'problem', 'claim', 'results', 'after', 'asked'])];
    return names.map((section) => ({
      name: `managers/${manager.name}: section ${section}`,
      read: (text: string) => {
        const spoiltSections = spoilt(sections, section, text);
        // Whatever the package manager, the answer is that of the whole host.
        attempt(() => hostScan.readHostScan(spoiltSections, limits));
        attempt(() => hostScan.readHostSummary(spoiltSections, 1));
        attempt(() => hostScan.readHostState(spoiltSections, 1));
        attempt(() => manager.parseSimulation(spoiltSections));
        const result = { exitCode: 0, verdict: 'done', sections: Object.fromEntries(spoiltSections) };
        attempt(() => manager.readInstall(result, planned, []));
      },
    }));
  });
}

type Row = (text: string) => unknown;

/** What is refused is no trouble; anything but a refusal of our own is. */
function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof FettleError)) throw error;
  }
}

function every(text: string): Sections {
  return { ...new Map(), get: () => text, has: () => true };
}

function suDialogue(): ElevationDialogue {
  return new ElevationDialogue({
    host: 'h',
    elevation: { method: 'su', user: 'root', flags: [] },
    mark: 'a',
    credentials: undefined,
    signal: undefined,
  });
}

function json(text: string): ReturnType<typeof parseHostJson> {
  return {
    updates: [{ title: text }],
    facts: { maker: text, os: { build: text, caption: text } },
    title: text,
    kb: [text],
  };
}

const softwareFormat: ListFormat = { name: 'it', wholeLists: [0], read: () => [] };

const xmlNamespaces = 'xmlns:s="http://www.w3.org/2003/05/soap-envelope"';

/** By `file#export` below src/; null: it takes no text of a host, or merely builds one. */
export const rows: Readonly<Record<string, Row | null>> = {
  'base/text.ts#cleanLine': cleanLine,
  'base/text.ts#cleanBlock': cleanBlock,
  'base/text.ts#newestLine': newestLine,
  'base/text.ts#ellipsis': (text) => ellipsis(text, 80, (part) => part.length),
  'base/text.ts#plural': null,
  'base/text.ts#shellWord': shellWord,
  'managers/apt/apt.ts#readInstalled': readInstalled,
  'managers/apt/apt.ts#apt': null,
  'managers/apt/metadata.ts#readMetadata': (text) => readMetadata(every(text), { collectedMs: 1, maxAgeMs: 1 }),
  'managers/apt/policy.ts#parseReleases': (text) => parseReleases(text, ['a']),
  'managers/apt/policy.ts#parsePolicy': (text) => parsePolicy(text, new Map()),
  'managers/apt/simulation.ts#parseAptSimulation': (text) => parseAptSimulation(text, 'amd64'),
  'managers/apt/updates.ts#readUpdates': (text) =>
    readUpdates(every(text), { packages: [], normal: parseAptSimulation(text, 'a'), releases: new Map() }),
  'managers/chocolatey/chocolatey.ts#chocolatey': null,
  'managers/chocolatey/chocolatey-lists.ts#readChocolatey': (text) => readChocolatey(text, text),
  'managers/versions/deb.ts#compareDebVersions': (text) => compareDebVersions(text, `${text}a`),
  'managers/versions/deb.ts#newestDebVersion': (text) => newestDebVersion([text, `${text}a`]),
  'managers/windows-update/hresult.ts#parseHResult': parseHResult,
  'managers/windows-update/hresult.ts#formatHResult': null,
  'managers/windows-update/hresult.ts#describeHResult': describeHResult,
  'managers/family/posix-facts.ts#readFacts': (text) => posix.readFacts(every(text), 1),
  'managers/family/posix-facts.ts#readPrivileges': (text) => posix.readPrivileges(every(text)),
  'managers/family/posix-facts.ts#readDisks': (text) => posix.readDisks(every(text)),
  'managers/family/posix-facts.ts#readHealth': (text) => posix.readHealth(every(text), true),
  'managers/family/posix-facts.ts#readRunning': (text) => posix.readRunning(every(text)),
  'managers/family/posix-facts.ts#readClaim': (text) => posix.readClaim(every(text)),
  'managers/family/posix-facts.ts#readReboot': (text) => posix.readReboot(every(text), posix.readFacts(everything, 1)),
  'managers/family/linux.ts#linux': null,
  'managers/family/windows.ts#windows': null,
  'managers/family/windows-refusals.ts#refuseProblem': (text) => refusals.refuseProblem(every(text)),
  'managers/family/windows-refusals.ts#noAdministrator': null,
  'managers/host-scan.ts#reportedManagers': (text) => hostScan.reportedManagers(every(text)),
  'managers/host-scan.ts#unscannedManagers': (text) => hostScan.unscannedManagers(every(text)),
  'managers/host-scan.ts#readHostScan': (text) => hostScan.readHostScan(every(text), limits),
  'managers/host-scan.ts#readHostSummary': (text) => hostScan.readHostSummary(every(text), 1),
  'managers/host-scan.ts#readHostState': (text) => hostScan.readHostState(every(text), 1),
  'managers/registry.ts#packageManagerNames': null,
  'managers/registry.ts#isPackageManager': registry.isPackageManager,
  'managers/registry.ts#packageManagerNamed': registry.packageManagerNamed,
  'managers/registry.ts#familyNamed': registry.familyNamed,
  'managers/contract/sections.ts#linesIn': (text) => [...linesIn(text, 'it')],
  'managers/contract/sections.ts#linesOf': (text) => linesOf(every(text), 'it'),
  'managers/contract/sections.ts#firstLine': (text) => firstLine(every(text), 'it'),
  'managers/contract/sections.ts#required': null,
  'managers/windows-software/software-package.ts#softwareWord': null,
  'managers/windows-software/software-manager.ts#softwareManager': null,
  'managers/windows-software/software-lists.ts#formatStatus': null,
  'managers/windows-software/software-lists.ts#readSoftwareLists': (text) => {
    attempt(() => readSoftwareLists(text, softwareFormat));
    return readSoftwareLists(softwareLists(text), softwareFormat);
  },
  'managers/windows-software/software-install.ts#readSoftwareInstall': (text) => {
    const sections = { results: JSON.stringify({ items: [{ name: text, words: text }] }), after: text };
    return readSoftwareInstall({ exitCode: 0, verdict: 'done', sections }, softwareFormat, planned, []);
  },
  'managers/windows-software/software-simulation.ts#simulateSoftware': (text) =>
    simulateSoftware('it', every(text), { packages: [], warnings: [] }, []),
  'managers/family/windows-facts.ts#readWindowsFacts': (text) =>
    windowsFacts.readWindowsFacts(json(text), every(text), 1),
  'managers/family/windows-facts.ts#buildOf': (text) => windowsFacts.buildOf(json(text)),
  'managers/family/windows-facts.ts#readWindowsPrivileges': (text) =>
    windowsFacts.readWindowsPrivileges({ account: { name: text } }),
  'managers/family/windows-facts.ts#readWindowsDisks': (text) =>
    windowsFacts.readWindowsDisks({ disks: [{ mount: text, free: 1 }] }),
  'managers/family/windows-facts.ts#readWindowsHealth': (text) =>
    windowsFacts.readWindowsHealth({ services: [{ name: text, start: 'Auto', state: text }] }),
  'managers/family/windows-facts.ts#readWindowsReboot': (text) =>
    windowsFacts.readWindowsReboot({ pendingReboot: [{ code: text, words: text }] }),
  'managers/family/windows-facts.ts#readWindowsRunning': (text) =>
    windowsFacts.readWindowsRunning({ running: [{ name: text, pid: 1 }] }),
  'managers/family/windows-facts.ts#readWindowsProblems': (text) =>
    windowsFacts.readWindowsProblems({ problems: [{ code: text, words: text }] }),
  'managers/family/windows-facts.ts#readPrograms': (text) =>
    windowsFacts.readPrograms({ inventory: { programs: [{ name: text, version: text }], hotfixes: [{ id: text }] } }),
  'managers/family/windows-facts.ts#readInventory': (text) =>
    windowsFacts.readInventory({ ...json(text), policy: { [text]: text } }),
  'managers/windows-update/history.ts#datedHistory': null,
  'managers/windows-update/history.ts#readHistory': (text) =>
    readHistory({ id: '11111111-0000-4000-8000-000000000001', revision: 1, title: text, code: text, at: text }),
  'managers/windows-update/install.ts#readWindowsInstall': (text) =>
    readWindowsInstall({ exitCode: 0, verdict: 'done', sections: { results: text, after: text } }, planned, []),
  'managers/contract/json.ts#parseHostJson': (text) => parseHostJson(text, 'it'),
  'managers/contract/json.ts#objectAt': null,
  'managers/contract/json.ts#objectsAt': null,
  'managers/contract/json.ts#textAt': (text) => textAt({ a: text }, 'a'),
  'managers/contract/json.ts#rawTextAt': null,
  'managers/contract/json.ts#textsAt': (text) => textsAt({ a: [text] }, 'a'),
  'managers/contract/json.ts#numberAt': null,
  'managers/contract/json.ts#isAt': null,
  'managers/contract/json.ts#momentAt': null,
  'managers/windows-update/records.ts#readWindowsUpdateScan': (text) => readWindowsUpdateScan(text),
  'managers/windows-update/installed.ts#installedUpdates': null,
  'managers/windows-update/simulation.ts#parseSimulation': (text) => parseSimulation(every(text)),
  'managers/windows-update/selection.ts#nameOf': null,
  'managers/windows-update/selection.ts#isDefinition': null,
  'managers/windows-update/selection.ts#isDefinitionName': null,
  'managers/windows-update/selection.ts#readWindowsUpdates': (text) =>
    readWindowsUpdates(
      readWindowsUpdateScan(
        JSON.stringify({
          phase: 'done',
          updates: [{ id: '11111111-0000-4000-8000-000000000001', revision: 1, title: text }],
        }),
      ),
    ),
  'managers/windows-update/windows-update.ts#windowsUpdate': null,
  'managers/winget/winget.ts#winget': null,
  'managers/winget/winget-lists.ts#readWinget': (text) =>
    readWinget(`${text.slice(0, lineLength)}\n${'-'.repeat(20)}\n${text}`, text),
  'remote/clixml.ts#decodeClixml': (text) => decodeClixml(`#< CLIXML\n<Objs>${text}`),
  'remote/elevation-dialogue.ts#promptOf': null,
  'remote/elevation-dialogue.ts#begunOf': null,
  'remote/elevation-dialogue.ts#readyOf': null,
  'remote/elevation-dialogue.ts#ElevationDialogue': (text) => {
    const dialogue = suDialogue();
    dialogue.next(text.slice(0, 64 * 1024));
    dialogue.next(`${text.slice(0, 64 * 1024)}${readyOf('a')}`);
    return dialogue.refusal(1);
  },
  'remote/frame.ts#findFrame': (text) => findFrame(Buffer.from(text), 'a'),
  'remote/frame.ts#parseFrameBytes': (text) => {
    attempt(() => parseFrameBytes(Buffer.from(`\x1eFETTLE ${text}`)));
    return parseFrameBytes(Buffer.from(text));
  },
  'remote/frame.ts#parseFrame': (text) =>
    parseFrame(Buffer.from(`\x1eFETTLE a begin\n\n\x1ea x\n${text}\n\x1ea end\n`)),
  'remote/frame.ts#unreadable': (text) => unreadable('it', Buffer.from(text)),
  'remote/powershell.ts#decodeAnswer': (text) => decodeAnswer(Buffer.from(text), 'a'),
  'report/text/line-buffer.ts#LineBuffer': (text) => new LineBuffer(() => undefined).add('h', text),
  'transport/winrm/soap/faults.ts#readFault': (text) => readFault(parseXml(`<a>${text}</a>`)),
  'transport/winrm/http/http-response.ts#HttpHeaders': null,
  'transport/winrm/http/http-response.ts#ResponseReader': (text) => {
    attempt(() => new ResponseReader().take(Buffer.from(text)));
    return new ResponseReader().take(
      Buffer.from(`HTTP/1.1 200 OK\r\na: b\r\nTransfer-Encoding: chunked\r\n\r\n${text}`),
    );
  },
  'transport/winrm/soap/soap.ts#bodyOf': (text) =>
    bodyOf(parseXml(`<s:Envelope ${xmlNamespaces}><s:Body>${text}</s:Body></s:Envelope>`)),
  'transport/winrm/soap/soap.ts#readShellId': (text) => readShellId(parseXml(`<a>${text}</a>`)),
  'transport/winrm/soap/soap.ts#readCommandId': (text) => readCommandId(parseXml(`<a>${text}</a>`)),
  'transport/winrm/soap/soap.ts#readOutput': (text) => readOutput(parseXml(`<a>${text}</a>`), 'a'),
  'transport/winrm/soap/soap.ts#readIdentity': (text) => readIdentity(parseXml(`<a>${text}</a>`)),
  'transport/winrm/auth/token-framing.ts#isSealed': isSealed,
  'transport/winrm/auth/token-framing.ts#sealBody': null,
  'transport/winrm/auth/token-framing.ts#unsealBody': null,
  'transport/winrm/auth/token-framing.ts#encodeFramed': null,
  'transport/winrm/auth/token-framing.ts#decodeFramed': (text) => {
    attempt(() => decodeFramed(`multipart/encrypted;${text}`, Buffer.from(text), 'a'));
    return decodeFramed('multipart/encrypted;protocol="a";boundary="b"', Buffer.from(`--b\r\n${text}`), 'a');
  },
  'domain/xml.ts#childOf': null,
  'domain/xml.ts#descendants': null,
  'domain/xml.ts#attribute': null,
  'domain/xml.ts#escapeXml': (text) => escapeXml(text),
  'domain/xml.ts#parseXml': (text) => {
    attempt(() => parseXml(`<a ${text}`));
    attempt(() => parseXml(`<a>${text}</a>`));
    return parseXml(text);
  },
};

const shorter = sectionShapes.map(({ name, text }) => ({ name, text: text.slice(0, sectionBytes) }));

/** One message before each text and one at the end; an error that is no refusal ends the worker. */
function readEverything(tell: (name: string) => void): void {
  const named = Object.entries(rows).flatMap(([name, read]) => (read === null ? [] : [{ name, read, texts: shapes }]));
  const sections = registry.packageManagerNames.map(registry.packageManagerNamed).flatMap(managerRows);
  for (const { name, read, texts } of [...named, ...sections.map((row) => ({ ...row, texts: shorter }))]) {
    for (const shape of texts) {
      tell(`${name}: ${shape.name}`);
      attempt(() => read(shape.text));
    }
  }
}

if (parentPort !== null) {
  const port = parentPort;
  readEverything((name) => port.postMessage(name));
  port.postMessage('over');
}
