// Every keyword of ssh_config(5), by how fettle treats it: none is dropped silently.

/** Obeyed: their values are read in options.ts. */
export const obeyedKeywords: readonly string[] = [
  'hostname',
  'port',
  'user',
  'identityfile',
  'identityagent',
  'identitiesonly',
  'proxyjump',
  'proxycommand',
  'userknownhostsfile',
  'globalknownhostsfile',
  'stricthostkeychecking',
  'revokedhostkeys',
  'hostkeyalias',
  'hashknownhosts',
  'connecttimeout',
  'serveraliveinterval',
  'serveralivecountmax',
  'addressfamily',
  'preferredauthentications',
  'pubkeyauthentication',
  'passwordauthentication',
  'kbdinteractiveauthentication',
  'certificatefile',
  'pkcs11provider',
  'kexalgorithms',
  'ciphers',
  'macs',
  'hostkeyalgorithms',
  'pubkeyacceptedalgorithms',
  'requiredrsasize',
];

/**
 * Ignored, which never makes fettle less strict: fettle does no multiplexing, prompting, terminals or forwarding; it
 * does not extend trust by DNS, by certificates or to the local machine; ssh itself applies canonical names before it
 * prints its answer.
 */
export const harmlessKeywords: readonly string[] = [
  'addkeystoagent',
  'batchmode',
  'canonicaldomains',
  'canonicalizefallbacklocal',
  'canonicalizehostname',
  'canonicalizemaxdots',
  'canonicalizepermittedcnames',
  'casignaturealgorithms',
  'channeltimeout',
  'clearallforwardings',
  'compression',
  'connectionattempts',
  'controlmaster',
  'controlpath',
  'controlpersist',
  'dynamicforward',
  'enableescapecommandline',
  'enablesshkeysign',
  'escapechar',
  'exitonforwardfailure',
  'fingerprinthash',
  'forkafterauthentication',
  'forwardagent',
  'forwardx11',
  'forwardx11timeout',
  'forwardx11trusted',
  'gatewayports',
  'gssapiauthentication',
  'gssapiclientidentity',
  'gssapidelegatecredentials',
  'gssapikexalgorithms',
  'gssapikeyexchange',
  'gssapirenewalforcesrekey',
  'gssapiserveridentity',
  'gssapitrustdns',
  // The name that was asked for, as ssh -G prints it.
  'host',
  'hostbasedacceptedalgorithms',
  'hostbasedauthentication',
  'ignoreunknown',
  'include',
  'ipqos',
  'localcommand',
  'localforward',
  'loglevel',
  'logverbose',
  'match',
  'nohostauthenticationforlocalhost',
  'numberofpasswordprompts',
  'obscurekeystroketiming',
  'permitlocalcommand',
  'permitremoteopen',
  'rekeylimit',
  'remotecommand',
  'remoteforward',
  'requesttty',
  'securitykeyprovider',
  'sendenv',
  'sessiontype',
  'setenv',
  'stdinnull',
  'streamlocalbindmask',
  'streamlocalbindunlink',
  'syslogfacility',
  'tag',
  'tcpkeepalive',
  'tunnel',
  'tunneldevice',
  'updatehostkeys',
  'verifyhostkeydns',
  'versionaddendum',
  'visualhostkey',
  'warnweakcrypto',
  'xauthlocation',
];

/** They affect trust or routing and are not implemented: any value but ssh's default is refused. */
export const refusedKeywords: readonly string[] = [
  'bindaddress',
  'bindinterface',
  'checkhostip',
  'knownhostscommand',
  'proxyusefdpass',
  'refuseconnection',
];

/** Other names of the same option, readconf.c. */
const aliases: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  skeyauthentication: 'kbdinteractiveauthentication',
  tisauthentication: 'kbdinteractiveauthentication',
  dsaauthentication: 'pubkeyauthentication',
  pubkeyacceptedkeytypes: 'pubkeyacceptedalgorithms',
  hostbasedkeytypes: 'hostbasedacceptedalgorithms',
  globalknownhostsfile2: 'globalknownhostsfile',
  userknownhostsfile2: 'userknownhostsfile',
  identityfile2: 'identityfile',
};

/** The keyword in lower case, under its present name. */
export function keywordOf(name: string): string {
  const lower = name.toLowerCase();
  return Object.hasOwn(aliases, lower) ? (aliases[lower] ?? lower) : lower;
}

export type KeywordUse = 'obeyed' | 'harmless' | 'refused';

/** How fettle treats a keyword; an unknown one is refused like those that affect trust. */
export function useOf(keyword: string): KeywordUse {
  if (obeyedKeywords.includes(keyword)) return 'obeyed';
  return harmlessKeywords.includes(keyword) ? 'harmless' : 'refused';
}
