export interface ScaffoldFile {
  /** Relative to the directory that is set up. */
  readonly path: string;
  readonly text: string;
}

const inventory = `# The hosts, as in an Ansible inventory: groups, hosts and variables.
all:
  vars:
    # ansible_user: admin
    # ansible_ssh_private_key_file: ~/.ssh/id_ed25519
  children:
    this_machine:
      hosts:
        localhost:
          ansible_connection: local
    # web:
    #   vars:
    #     ansible_become: true
    #     patch_reboot: if-needed
    #   hosts:
    #     web[01:03].example.com:
`;

const playbook = `# What is patched, in which order, and what must hold afterwards.
kind: patch
version: 1
name: first
description: Everything that is pending, one host first
targets:
  select: all
rollout:
  waves: [1, 10%, rest]
  budget: { max: 1, percent: 5% }
reboot: never
verify:
  failed_units: fail
  listeners: fail
  stale_processes: warn
`;

/** What `fettle init` writes: an inventory with this machine in it and a careful playbook. */
export function scaffoldFiles(): readonly ScaffoldFile[] {
  return [
    { path: 'inventory.yaml', text: inventory },
    { path: 'playbook.yaml', text: playbook },
  ];
}
