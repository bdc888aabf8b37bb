// Which variables of an inventory mean something to fettle, and which it refuses rather than ignores.
import { suggestion } from '../yaml/suggestion.ts';

/** Our own settings of a host. */
export const patchNames: ReadonlySet<string> = new Set([
  'patch_enabled',
  'patch_disabled_reason',
  'patch_disabled_until',
  'patch_hold',
  'patch_reboot',
  'patch_max_reboots',
  'patch_ring',
  'patch_cluster',
  'patch_owner',
  'patch_security_origins',
  'patch_id',
  'patch_mac',
  'patch_wake_address',
  'patch_winrm_certificate',
  'patch_windows_source',
  'patch_windows_catalogue',
  'patch_windows_drivers',
  'patch_windows_third_party',
  'patch_ignore_reboot_signs',
]);

/** Ours too, but of later versions. */
const laterPatchNames: ReadonlySet<string> = new Set([
  'patch_window',
  'patch_blackout',
  'patch_exposure',
  'patch_criticality',
  'patch_contact',
  'patch_concurrency_key',
  'patch_timeout',
  'patch_snapshot',
]);

/** Names after the alias order of Ansible: where several are set, the last one wins. `METHOD` is the become method. */
export const connectionAliases = {
  connection: ['ansible_connection'],
  address: ['ansible_host', 'ansible_ssh_host', 'ansible_winrm_host', 'ansible_psrp_host', 'ansible_paramiko_host'],
  port: ['ansible_port', 'ansible_ssh_port', 'ansible_winrm_port', 'ansible_psrp_port', 'ansible_paramiko_port'],
  user: ['ansible_user', 'ansible_ssh_user', 'ansible_winrm_user', 'ansible_psrp_user', 'ansible_paramiko_user'],
  password: [
    'ansible_password',
    'ansible_paramiko_pass',
    'ansible_paramiko_password',
    'ansible_winrm_pass',
    'ansible_winrm_password',
    'ansible_ssh_pass',
    'ansible_ssh_password',
  ],
  privateKeyFile: ['ansible_private_key_file', 'ansible_paramiko_private_key_file', 'ansible_ssh_private_key_file'],
  passphrase: ['ansible_private_key_passphrase', 'ansible_ssh_private_key_passphrase'],
  sshArgs: ['ansible_ssh_args'],
  sshCommonArgs: ['ansible_ssh_common_args'],
  sshExtraArgs: ['ansible_ssh_extra_args'],
  hostKeyChecking: ['ansible_host_key_checking', 'ansible_paramiko_host_key_checking', 'ansible_ssh_host_key_checking'],
  timeout: ['ansible_timeout', 'ansible_ssh_timeout'],
  shell: ['ansible_shell_type'],
  become: ['ansible_become'],
  becomeMethod: ['ansible_become_method'],
  becomeUser: ['ansible_become_user', 'ansible_METHOD_user'],
  becomePassword: ['ansible_become_password', 'ansible_become_pass', 'ansible_METHOD_pass'],
  becomeExe: ['ansible_become_exe', 'ansible_METHOD_exe'],
  becomeFlags: ['ansible_become_flags', 'ansible_METHOD_flags'],
} as const;

/** Settings of WinRM, after Ansible's winrm and psrp connections; where both are set, psrp's wins. */
export const winrmAliases = {
  scheme: ['ansible_winrm_scheme', 'ansible_psrp_protocol'],
  path: ['ansible_winrm_path', 'ansible_psrp_path'],
  auth: ['ansible_winrm_transport', 'ansible_psrp_auth'],
  certificate: ['patch_winrm_certificate'],
  validation: ['ansible_winrm_server_cert_validation', 'ansible_psrp_cert_validation'],
  caFile: ['ansible_winrm_ca_trust_path', 'ansible_psrp_cert_trust_path', 'ansible_psrp_ca_cert'],
  certFile: ['ansible_winrm_cert_pem', 'ansible_psrp_certificate_pem'],
  keyFile: ['ansible_winrm_cert_key_pem', 'ansible_psrp_certificate_key_pem'],
  messageEncryption: ['ansible_winrm_message_encryption', 'ansible_psrp_message_encryption'],
  operationTimeout: ['ansible_winrm_operation_timeout_sec', 'ansible_psrp_operation_timeout'],
  readTimeout: ['ansible_winrm_read_timeout_sec', 'ansible_psrp_read_timeout'],
  connectTimeout: ['ansible_winrm_connection_timeout', 'ansible_psrp_connection_timeout'],
  delegation: ['ansible_winrm_kerberos_delegation', 'ansible_psrp_negotiate_delegate'],
  serviceHost: ['ansible_winrm_kerberos_hostname_override', 'ansible_psrp_negotiate_hostname_override'],
  service: ['ansible_winrm_service', 'ansible_psrp_negotiate_service'],
  sendBindings: ['ansible_winrm_send_cbt', 'ansible_psrp_negotiate_send_cbt'],
  proxy: ['ansible_winrm_proxy', 'ansible_psrp_proxy'],
} as const;

export const becomeMethods = ['sudo', 'su', 'doas'] as const;

const effective: ReadonlySet<string> = new Set(
  [...Object.values(connectionAliases), ...Object.values(winrmAliases)]
    .flat()
    .flatMap((name) =>
      name.includes('METHOD') ? becomeMethods.map((method) => name.replace('METHOD', method)) : [name],
    ),
);

/** Ansible's own, without meaning for what fettle does. */
const withoutEffect =
  /^ansible_(.+_interpreter|(ssh_)?pipelining|ssh_transfer_method|(scp|sftp)_.*|async_dir|system_tmpdirs|admin_users|common_remote_group|remote_tmp|shell_(executable|is_.*)|control_path(_dir)?|ssh_control_path(_dir)?|sshpass_prompt|ssh_use_tty|paramiko_(?:look_for_keys|host_key_auto_add|record_host_keys|pty|use_rsa_sha2_algorithms)|ssh_retries|ssh_executable|group_priority|facts.*|psrp_ignore_proxy|become_ask_pass|su_prompt_l10n|runas_.*|python_.*)$/;

/** Ansible's too, but of a way that is not gone here: what they were meant for is to be had otherwise, or not needed. */
const ofAnotherWay: readonly (readonly [name: RegExp, hint: string])[] = [
  [/^ansible_winrm_kinit_/, 'fettle never runs kinit: GSSAPI gets the ticket, with the password or from the cache'],
  [/^ansible_winrm_realm$/, 'write the user as user@REALM'],
  [/^ansible_winrm_keytab$/, 'get a ticket first: kinit -k -t FILE user@REALM'],
  [/^ansible_(winrm|psrp)_credssp_/, 'CredSSP is not used: it sends the password to the host'],
  [/^ansible_psrp_(re)?connection_(retries|backoff)$/, 'fettle has its own rules for reconnecting'],
  [/^ansible_psrp_max_envelope_size$/, 'messages have at most 150 KB, which every host accepts'],
  [/^ansible_paramiko_proxy_command$/, 'write it as -o ProxyCommand=… into ansible_ssh_common_args'],
  [/^ansible_ssh_pkcs11_provider$/, 'keys on tokens are not supported in this version'],
  [/^ansible_ssh_password_mechanism$/, 'fettle sends passwords itself'],
  [/^ansible_psrp_configuration_name$/, 'fettle opens no PowerShell session, so there is none to configure'],
];

export interface NameProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint?: string;
  readonly lintOnly?: true;
}

/** True for names whose value decides what fettle does. */
export function isSetting(name: string): boolean {
  return effective.has(name) || name.startsWith('patch_');
}

/** What is wrong with a variable's name, if anything. Names that are neither `ansible_*` nor `patch_*` are free. */
export function checkName(name: string): NameProblem | undefined {
  if (name.startsWith('patch_') && !patchNames.has(name)) {
    if (laterPatchNames.has(name)) {
      return { severity: 'error', message: `${name} is not available in this version`, hint: 'remove it for now' };
    }
    const near = suggestion(name, patchNames);
    if (near !== undefined) return { severity: 'error', message: `unknown variable ${name}`, hint: near };
    const hint = `fettle's own are ${[...patchNames].join(', ')}`;
    return {
      severity: 'warning',
      message: `${name} is none of fettle's variables and has no effect`,
      hint,
      lintOnly: true,
    };
  }
  if (!name.startsWith('ansible_') || effective.has(name) || withoutEffect.test(name)) return undefined;
  const [, hint] = ofAnotherWay.find(([pattern]) => pattern.test(name)) ?? [];
  if (hint !== undefined) return { severity: 'warning', message: `${name} has no effect here`, hint };
  // A longer way from name to name leads from one subject to another.
  const near = suggestion(name, effective, 2);
  return {
    severity: 'warning',
    message: `${name} is unknown and has no effect`,
    ...(near === undefined ? { lintOnly: true } : { hint: near }),
  };
}
