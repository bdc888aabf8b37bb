/** The words that run a command inside the namespaces of the host with this PID 1, past its network and its sshd. */
export function insideOf(pid: number, command: readonly string[]): readonly string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--time', '--root', '--wd'];
  return ['nsenter', '--target', String(pid), ...namespaces, '--', ...command];
}
