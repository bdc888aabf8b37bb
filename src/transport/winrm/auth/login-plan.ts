import { FettleError } from '../../../domain/error.ts';
import type { Connection, WinrmSettings } from '../../../domain/host.ts';
import type { LoginKind, LoginPlan } from './login.ts';

/**
 * How to log in with these settings. Throws `config` for settings that would expose a password or a message to the
 * network, and for missing ones: protection is never weakened to make a login work.
 */
export function planLogin(hostName: string, connection: Connection, settings: WinrmSettings): LoginPlan {
  const refuse = (why: string, hint: string): FettleError =>
    new FettleError('config', `${hostName} cannot be reached by WinRM: ${why}`, { hint });
  const { scheme, messageEncryption } = settings;
  const kind = kindOf(connection, settings);
  const seals = kind === 'ntlm' || kind === 'kerberos';
  if (scheme === 'http' && messageEncryption === 'never') {
    throw refuse(
      'without message encryption everything would be sent in clear text',
      'set ansible_winrm_scheme: https (port 5986), or remove ansible_winrm_message_encryption',
    );
  }
  if (!seals && scheme === 'http') {
    throw refuse(
      `${kind} over plain HTTP could be read on the network`,
      'set ansible_winrm_scheme: https (port 5986), or ansible_winrm_transport: ntlm, which seals its messages',
    );
  }
  if (!seals && messageEncryption === 'always') {
    throw refuse(`${kind} cannot seal messages`, 'set the message encryption to auto: TLS then protects the messages');
  }
  if (kind === 'certificate') {
    if (settings.certFile === undefined) throw refuse('no client certificate is set', 'set its PEM file and its key');
  } else if (kind !== 'kerberos') {
    if (connection.user === undefined) throw refuse('no user is set', 'set ansible_user, or use -u');
    if (connection.password === undefined) throw refuse(`${kind} needs a password`, 'pass one (-k), or use kerberos');
  }
  return {
    kind,
    user: kind === 'certificate' ? '' : (connection.user ?? ''),
    password: kind === 'certificate' ? undefined : connection.password,
    serviceHost: settings.serviceHost ?? connection.address,
    servicePrincipal: settings.servicePrincipal,
    isDelegating: settings.delegation ?? false,
    isSealingRequired: scheme === 'http' || messageEncryption === 'always',
  };
}

function kindOf({ password }: Connection, { auth }: WinrmSettings): LoginKind {
  if (auth !== 'auto') return auth;
  return password === undefined ? 'kerberos' : 'ntlm';
}
