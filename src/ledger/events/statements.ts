// Every statement that writes what is made from events, but for scans (scan-projection.ts).
import { query, template, type Slots } from '../store/sqlite.ts';
import type { Tables } from '../store/tables.ts';

export const insertRun = template((slot: Slots<Pick<Tables['run'], 'run' | 'kind' | 'started_at' | 'opening_json'>>) =>
  query
    .insertInto('run')
    .values({
      run: slot('run'),
      kind: slot('kind'),
      started_at: slot('started_at'),
      opening_json: slot('opening_json'),
      ended_at: null,
      exit_code: null,
      exit_name: null,
      end_json: null,
    })
    .onConflict((conflict) => conflict.column('run').doNothing()),
);

export const reopenRun = template((slot: Slots<Pick<Tables['run'], 'run'>>) =>
  query.updateTable('run').set({ ended_at: null, exit_code: null, exit_name: null }).where('run', '=', slot('run')),
);

export const endRun = template(
  (slot: Slots<Pick<Tables['run'], 'run' | 'ended_at' | 'exit_code' | 'exit_name' | 'end_json'>>) =>
    query
      .updateTable('run')
      .set({
        ended_at: slot('ended_at'),
        exit_code: slot('exit_code'),
        exit_name: slot('exit_name'),
        end_json: slot('end_json'),
      })
      .where('run', '=', slot('run')),
);

export const openWave = template((slot: Slots<Omit<Tables['wave'], 'ended_at'>>) =>
  query
    .insertInto('wave')
    .values({
      run: slot('run'),
      wave: slot('wave'),
      name: slot('name'),
      hosts_json: slot('hosts_json'),
      started_at: slot('started_at'),
      ended_at: null,
    })
    .onConflict((conflict) => conflict.columns(['run', 'wave']).doUpdateSet({ ended_at: null })),
);

export const endWave = template((slot: Slots<Pick<Tables['wave'], 'run' | 'wave' | 'ended_at'>>) =>
  query
    .updateTable('wave')
    .set({ ended_at: slot('ended_at') })
    .where('run', '=', slot('run'))
    .where('wave', '=', slot('wave')),
);

export const seeHost = template((slot: Slots<Pick<Tables['host'], 'host_id' | 'name' | 'last_seen'>>) =>
  query
    .insertInto('host')
    .values({
      host_id: slot('host_id'),
      name: slot('name'),
      first_seen: slot('last_seen'),
      last_seen: slot('last_seen'),
    })
    .onConflict((conflict) =>
      conflict.column('host_id').doUpdateSet({ name: slot('name'), last_seen: slot('last_seen') }),
    ),
);

export const nameHost = template((slot: Slots<Tables['host_name']>) =>
  query
    .insertInto('host_name')
    .values({ name: slot('name'), at: slot('at') })
    .onConflict((conflict) => conflict.column('name').doNothing()),
);

/** Run, time, names as a JSON array: all hosts of a run in one statement. */
export const selectHosts = `INSERT OR IGNORE INTO selected_host (name, run, at)
  SELECT value, ?, ? FROM json_each(?) ORDER BY key`;

export const openHostRun = template((slot: Slots<Omit<Tables['host_run'], 'ended_at' | 'verdict' | 'outcome_json'>>) =>
  query
    .insertInto('host_run')
    .values({
      run: slot('run'),
      host_id: slot('host_id'),
      attempt: slot('attempt'),
      host: slot('host'),
      wave: slot('wave'),
      started_at: slot('started_at'),
      ended_at: null,
      verdict: null,
      outcome_json: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['run', 'host_id', 'attempt'])
        .doUpdateSet({ ended_at: null, verdict: null, outcome_json: null }),
    ),
);

/** One that was never opened begins and ends at once. */
export const endHostRun = template((slot: Slots<Omit<Tables['host_run'], 'wave'>>) => {
  const end = { ended_at: slot('ended_at'), verdict: slot('verdict'), outcome_json: slot('outcome_json') };
  return query
    .insertInto('host_run')
    .values({
      run: slot('run'),
      host_id: slot('host_id'),
      attempt: slot('attempt'),
      host: slot('host'),
      wave: null,
      started_at: slot('started_at'),
      ...end,
    })
    .onConflict((conflict) => conflict.columns(['run', 'host_id', 'attempt']).doUpdateSet(end));
});

export const openStep = template((slot: Slots<Omit<Tables['step'], 'ended_at' | 'ok' | 'message' | 'output_sha256'>>) =>
  query.insertInto('step').values({
    chain: slot('chain'),
    seq: slot('seq'),
    run: slot('run'),
    host_id: slot('host_id'),
    attempt: slot('attempt'),
    step: slot('step'),
    name: slot('name'),
    job: slot('job'),
    job_kind: slot('job_kind'),
    boot_id_before: slot('boot_id_before'),
    started_at: slot('started_at'),
    ended_at: null,
    ok: null,
    message: null,
    output_sha256: null,
  }),
);

/**
 * Closes the latest open step of that name, that of the same chain before others; a step that was resumed was started
 * once. As text, because the query builder has no updates by a pair of columns.
 */
export const endStep = `UPDATE step SET ended_at = :ended_at, ok = :ok, message = :message, output_sha256 = :output_sha256
  WHERE (chain, seq) = (
    SELECT chain, seq FROM step AS open WHERE run = :run AND host_id = :host_id AND attempt = :attempt
      AND step = :step AND job IS :job AND name IS :name AND ended_at IS NULL
    ORDER BY chain = :chain DESC, seq DESC LIMIT 1
  )`;

export const insertUpdateResult = template((slot: Slots<Tables['update_result']>) => {
  const values = {
    from_version: slot('from_version'),
    now_version: slot('now_version'),
    state: slot('state'),
    at: slot('at'),
    message: slot('message'),
  };
  return query
    .insertInto('update_result')
    .values({
      run: slot('run'),
      host_id: slot('host_id'),
      attempt: slot('attempt'),
      manager: slot('manager'),
      name: slot('name'),
      arch: slot('arch'),
      to_version: slot('to_version'),
      ...values,
    })
    .onConflict((conflict) =>
      conflict.columns(['run', 'host_id', 'attempt', 'manager', 'name', 'arch', 'to_version']).doUpdateSet(values),
    );
});

export const insertReboot = template((slot: Slots<Tables['reboot']>) =>
  query.insertInto('reboot').values({
    chain: slot('chain'),
    seq: slot('seq'),
    run: slot('run'),
    host_id: slot('host_id'),
    at: slot('at'),
    reboot_json: slot('reboot_json'),
  }),
);

export const forgetFindings = template((slot: Slots<Pick<Tables['finding'], 'run' | 'host_id'>>) =>
  query.deleteFrom('finding').where('run', '=', slot('run')).where('host_id', '=', slot('host_id')),
);

export const insertFinding = template((slot: Slots<Tables['finding']>) =>
  query.insertInto('finding').values({
    chain: slot('chain'),
    seq: slot('seq'),
    position: slot('position'),
    run: slot('run'),
    host_id: slot('host_id'),
    check_name: slot('check_name'),
    level: slot('level'),
    message: slot('message'),
  }),
);

export const insertPlan = template((slot: Slots<Tables['plan']>) =>
  query
    .insertInto('plan')
    .values({
      sha256: slot('sha256'),
      plan: slot('plan'),
      run: slot('run'),
      created_at: slot('created_at'),
      expires_at: slot('expires_at'),
      hosts: slot('hosts'),
      updates: slot('updates'),
    })
    .onConflict((conflict) => conflict.column('sha256').doNothing()),
);

export const insertNote = template((slot: Slots<Tables['note']>) =>
  query.insertInto('note').values({
    chain: slot('chain'),
    seq: slot('seq'),
    run: slot('run'),
    host: slot('host'),
    level: slot('level'),
    message: slot('message'),
    at: slot('at'),
  }),
);
