/**
 * The words that run a command inside the namespaces of the host with this PID 1, past its network and its sshd.
 *
 * A shutdown stops every process of the host with SIGSTOP before it ends them. nsenter(1) would stop itself along with
 * its child, where nobody on the host can wake it, so a shell outside the host's PID namespace waits in its place.
 */
export function insideOf(pid: number, command: readonly string[]): readonly string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--time', '--root', '--wd'];
  const wait = ['sh', '-c', '"$@"; exit $?', 'sh'];
  return ['nsenter', '--target', String(pid), ...namespaces, '--no-fork', '--', ...wait, ...command];
}
