// Every keyword of ssh_config(5), sorted by what fettle does about it: none is dropped unseen.

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
 * Without effect here, and never less strict for it: multiplexing, prompting, terminals and forwarding are none of
 * fettle's; trust by DNS, by certificates or for the local machine is more than fettle gives; ssh itself applies
 * canonical names before it prints its answer.
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

/** They decide whom to trust or which way to take, and are not implemented: any value but ssh's own default is refused. */
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

/** What fettle does about a keyword; one that nobody knows is refused like those that decide about trust. */
export function useOf(keyword: string): KeywordUse {
  if (obeyedKeywords.includes(keyword)) return 'obeyed';
  return harmlessKeywords.includes(keyword) ? 'harmless' : 'refused';
}
