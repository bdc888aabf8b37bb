// Simulated Windows hosts as fettle meets them: each a model with the real PowerShell engine behind a WinRM server.
import { monthOfUpdates } from './defaults.ts';
import { createWindowsHost, type WindowsHost, type WindowsHostOptions } from './host.ts';
import { startWinrmServer, type WinrmServer, type WinrmServerOptions } from '../winrm-server/winrm-server.ts';

export const windowsAccount = { user: 'Administrator', password: 'Pa$$w0rd, with "quotes"' } as const;

export interface WindowsMember {
  readonly name: string;
  readonly host: WindowsHost;
  readonly server: WinrmServer;
}

export interface WindowsFleet extends AsyncDisposable {
  readonly members: readonly WindowsMember[];
  /** A group `windows` with a line for each host; messages are sealed, over plain HTTP. Lines, indented by four. */
  readonly inventory: string;
}

export interface WindowsFleetOptions extends WindowsHostOptions {
  readonly server?: Partial<WinrmServerOptions>;
}

/** Listening on loopback at ports of their own, unless the options of all, or of each by its name, say otherwise. */
export async function startWindowsFleet(
  names: readonly string[],
  settings: WindowsFleetOptions | ((name: string) => WindowsFleetOptions) = {},
): Promise<WindowsFleet> {
  await using stack = new AsyncDisposableStack();
  const members: WindowsMember[] = [];
  for (const name of names) {
    const options = typeof settings === 'function' ? settings(name) : settings;
    // A month's updates of its own: hosts change theirs.
    const host = stack.use(createWindowsHost({ ...options, model: { updates: monthOfUpdates(), ...options.model } }));
    const server = stack.use(
      await startWinrmServer({ commands: host, accounts: [windowsAccount], computer: name, ...options.server }),
    );
    members.push({ name, host, server });
  }
  const held = stack.move();
  return { members, inventory: groupOf(members), [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function groupOf(members: readonly WindowsMember[]): string {
  const { user, password } = windowsAccount;
  return [
    'windows:',
    '  vars:',
    '    ansible_connection: winrm',
    '    ansible_winrm_scheme: http',
    `    ansible_user: ${user}`,
    `    ansible_password: '${password}'`,
    '  hosts:',
    ...members.map(({ name, server }) => `    ${name}: {ansible_host: ${server.host}, ansible_port: ${server.port}}`),
  ]
    .map((line) => `    ${line}\n`)
    .join('');
}
