// The flat `patch_*` variables of one host.
import { isIP } from 'node:net';
import type { PatchSettings, RebootMode, WindowsUpdateSettings } from '../../domain/host.ts';
import type { SettingsReader } from './settings-reader.ts';

const modes: readonly RebootMode[] = ['never', 'if-needed', 'always'];

export function readPatchSettings(reader: SettingsReader): PatchSettings {
  const disabledReason = reader.text('patch_disabled_reason');
  const disabledUntilMs = readUntil(reader);
  const reboot = readReboot(reader);
  const maxReboots = reader.integer(['patch_max_reboots'], { least: 0, most: 10 });
  const windows = readWindows(reader);
  return {
    enabled: reader.boolean('patch_enabled') ?? true,
    ...(disabledReason === undefined ? {} : { disabledReason }),
    ...(disabledUntilMs === undefined ? {} : { disabledUntilMs }),
    hold: reader.list('patch_hold'),
    ...(reboot === undefined ? {} : { reboot }),
    ...(maxReboots === undefined ? {} : { maxReboots }),
    clusters: reader.list('patch_cluster'),
    securityOrigins: readOrigins(reader),
    ...readWake(reader),
    ...(Object.keys(windows).length === 0 ? {} : { windows }),
  };
}

/** Colons, dashes or neither between the digits. */
function readWake(reader: SettingsReader): Pick<PatchSettings, 'macs' | 'wakeAddress'> {
  const written = reader.list('patch_mac');
  const macs = written.map((text) => text.replace(/[:-]/g, '').toLowerCase());
  const strange = written.find((_text, index) => !/^[0-9a-f]{12}$/.test(macs[index] ?? ''));
  if (strange !== undefined) {
    reader.report(['patch_mac'], `patch_mac "${strange}" is not a hardware address such as 52:54:00:12:34:56`);
  }
  const address = reader.text('patch_wake_address');
  if (address !== undefined && isIP(address) !== 4) {
    reader.report(['patch_wake_address'], 'patch_wake_address must be an IPv4 address such as 192.0.2.255');
  }
  return {
    ...(macs.length === 0 || strange !== undefined ? {} : { macs }),
    ...(address === undefined ? {} : { wakeAddress: address }),
  };
}

const sources = ['default', 'wsus', 'windows-update', 'microsoft-update'] as const;

function readWindows(reader: SettingsReader): WindowsUpdateSettings {
  const written = reader.text('patch_windows_source');
  const source = sources.find((known) => known === written);
  if (written !== undefined && source === undefined) {
    reader.report(['patch_windows_source'], `patch_windows_source must be ${sources.join(', ')}`);
  }
  const catalogue = reader.text('patch_windows_catalogue')?.replaceAll('\\', '/');
  if (catalogue !== undefined && !/^[A-Za-z]:\/[A-Za-z0-9.+~:_@/-]+$/.test(catalogue)) {
    reader.report(
      ['patch_windows_catalogue'],
      'patch_windows_catalogue must be a path on the host such as C:\\updates\\wsusscn2.cab',
      {
        hint: 'only letters, digits and . + ~ _ @ -, no spaces; a network share cannot be used',
      },
    );
  }
  const hasDrivers = reader.boolean('patch_windows_drivers');
  const hasSoftware = reader.boolean('patch_windows_third_party');
  const signs = reader.list('patch_ignore_reboot_signs');
  const strange = signs.find((sign) => !/^[a-z][a-z-]*$/.test(sign));
  if (strange !== undefined)
    reader.report(['patch_ignore_reboot_signs'], `"${strange}" is not a sign of a pending reboot`);
  return {
    ...(source === undefined ? {} : { source }),
    ...(catalogue === undefined ? {} : { catalogue }),
    ...(hasDrivers === undefined ? {} : { hasDrivers }),
    ...(hasSoftware === undefined ? {} : { hasSoftware }),
    ...(signs.length === 0 || strange !== undefined ? {} : { ignoredRebootSigns: signs }),
  };
}

/** Words without blanks: that is what the host's script takes. */
function readOrigins(reader: SettingsReader): readonly string[] {
  const names = reader.list('patch_security_origins');
  const strange = names.find((name) => !/^[A-Za-z0-9.+~:_@/-]+$/.test(name));
  if (strange === undefined) return names;
  reader.report(['patch_security_origins'], `patch_security_origins: "${strange}" is not an origin or label`);
  return [];
}

function readReboot(reader: SettingsReader): RebootMode | undefined {
  const text = reader.text('patch_reboot');
  const mode = modes.find((known) => known === text);
  if (text !== undefined && mode === undefined)
    reader.report(['patch_reboot'], `patch_reboot must be ${modes.join(', ')}`);
  return mode;
}

/** A day (its beginning in UTC) or a time with its zone (RFC 3339); a time without one is UTC. */
function readUntil(reader: SettingsReader): number | undefined {
  const text = reader.text('patch_disabled_until');
  if (text === undefined) return undefined;
  const [, day, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2})?))?\s*([Zz]|[+-]\d{2}:\d{2})?$/.exec(text.trim()) ?? [];
  const ms = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  const isReal = day !== undefined && new Date(`${day}T00:00Z`).getUTCDate() === Number(day.slice(8));
  if (Number.isFinite(ms) && isReal) return ms;
  reader.report(['patch_disabled_until'], `patch_disabled_until: "${text}" is not a date`, {
    hint: 'as in "2026-11-30" or "2026-11-30T06:00:00+01:00"',
  });
  return undefined;
}
