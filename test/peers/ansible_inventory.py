# Ansible's own loader, one process for all inventories: a request a line, an answer a line, both JSON.
import datetime, json, math, os, sys, tempfile

# No settings of this machine.
settings = tempfile.NamedTemporaryFile(suffix='.cfg')
os.environ['ANSIBLE_CONFIG'] = settings.name
os.environ['ANSIBLE_NOCOLOR'] = '1'
from ansible import constants as C
from ansible import context
from ansible.cli.inventory import INTERNAL_VARS
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

C.INVENTORY_ANY_UNPARSED_IS_FAILED = True
# Warnings are no answer.
for name in ('display', 'warning', 'deprecated', 'v', 'vv', 'vvv', 'vvvv', 'debug'):
    setattr(Display, name, lambda self, *words, **named: None)


def key(value):
    return json.loads(json.dumps({value: 0})).popitem()[0] if not isinstance(value, str) else str(value)


def plain(value):
    if isinstance(value, AnsibleVaultEncryptedUnicode):
        return value._ciphertext.decode()
    if isinstance(value, dict):
        return {key(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2 ** 53 else str(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    return str(value)


def hosts_of(inventory, select, limit):
    try:
        inventory.subset(limit)
        found = [host.name for host in inventory.get_hosts(select) if not host.implicit]
    except Exception:
        return None
    finally:
        inventory.subset(None)
        inventory.clear_caches()
    return found


def answer(request):
    context.CLIARGS = ImmutableDict(extra_vars=tuple(request['extraVars']))
    loader = DataLoader()
    try:
        inventory = InventoryManager(loader, sources=request['sources'])
        variables = VariableManager(loader=loader, inventory=inventory)
        hosts = {}
        for name, host in inventory.hosts.items():
            found = variables.get_vars(host=host, include_hostvars=False, stage='all')
            hosts[name] = {
                'groups': sorted({group.name for group in host.get_groups()} | {'all'}),
                'variables': {key(k): plain(v) for k, v in found.items() if k not in INTERNAL_VARS},
            }
    except Exception as error:
        return {'refused': str(error)}
    groups = {
        name: {
            'children': sorted(group.name for group in found.child_groups),
            'hosts': sorted(host.name for host in found.hosts),
        }
        for name, found in inventory.groups.items()
    }
    selected = [hosts_of(inventory, pattern['select'], pattern.get('limit')) for pattern in request['patterns']]
    return {'hosts': hosts, 'groups': groups, 'selected': selected}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
