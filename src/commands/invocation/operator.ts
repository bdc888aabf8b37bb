// Who started this process: as the kernel reports it, and as the environment claims.
import type { Operator } from '../../domain/event.ts';

export interface OperatorSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number | undefined;
  /** Of the user database; undefined where the user id has no entry. */
  readonly userName: string | undefined;
  readonly controller: string;
  readonly pid: number;
  /** A file as text; undefined where it cannot be read. */
  readonly read: (path: string) => string | undefined;
}

/** Nobody has logged in: a service, cron(8), a container. */
const noLogin = 4_294_967_295;

/**
 * The audit session keeps the user id of the login through sudo(8) and su(1) and cannot be changed without
 * CAP_AUDIT_CONTROL, see pam_loginuid(8); SUDO_USER is a variable that everybody can set.
 */
export function readOperator({ env, uid, userName, controller, pid, read }: OperatorSources): Operator {
  const loginUid = readLoginUid(read('/proc/self/loginuid'));
  const loginName = loginUid === undefined ? undefined : loginUid === uid ? userName : localName(loginUid, read);
  const sudoUser = env['SUDO_USER'];
  return {
    user: userName ?? (uid === undefined ? (env['USER'] ?? 'unknown') : `uid-${uid}`),
    controller,
    pid,
    ...(loginUid === undefined ? {} : { loginUid }),
    ...(loginName === undefined ? {} : { loginName }),
    ...(sudoUser === undefined || sudoUser === '' ? {} : { sudoUser }),
  };
}

function readLoginUid(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+\s*$/.test(text)) return undefined;
  const uid = Number(text);
  return uid === noLogin ? undefined : uid;
}

/** Of /etc/passwd, passwd(5), alone: a user of a directory service keeps the number. */
function localName(uid: number, read: OperatorSources['read']): string | undefined {
  const fields = read('/etc/passwd')
    ?.split('\n')
    .map((line) => line.split(':'));
  return fields?.find((words) => words[2] === String(uid))?.[0];
}
