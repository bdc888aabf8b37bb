// The columns of migrations.ts and projections.ts, for the query builder. Times are epoch milliseconds; `*_json` is JSON text.
import type { UpdateState, Verdict } from '../../domain/outcome.ts';

/** Which event a row was made from. */
interface OfEvent {
  chain: string;
  seq: number;
}

/** Which part of that event, counted from 0. */
interface OfPart extends OfEvent {
  position: number;
}

export interface Tables {
  event: {
    chain: string;
    seq: number;
    time: number;
    type: string;
    run: string | null;
    host_id: string | null;
    envelope: string;
    hash: string;
  };
  blob: { sha256: string; size: number; body: Uint8Array };
  host: { host_id: string; name: string; first_seen: number; last_seen: number };
  /** Every name under which a host was worked on or answered, and when that was first. */
  host_name: { name: string; at: number };
  /** Every name that was selected for a run, contacted or not, and the first of those runs. */
  selected_host: { name: string; run: string; at: number };
  run: {
    run: string;
    kind: string;
    started_at: number;
    ended_at: number | null;
    exit_code: number | null;
    exit_name: string | null;
    opening_json: string;
    end_json: string | null;
  };
  /** Labels that hosts of a run share, out of its `run.started`. */
  label_set: OfPart & { groups_json: string; owner: string | null; ring: string | null; labels_json: string };
  /** Which of them a host had in a run. */
  host_label: OfPart & { run: string; host: string; host_id: string; at: number };
  wave: { run: string; wave: number; name: string; hosts_json: string; started_at: number; ended_at: number | null };
  host_run: {
    run: string;
    host_id: string;
    attempt: number;
    host: string;
    wave: number | null;
    started_at: number;
    ended_at: number | null;
    verdict: Verdict | null;
    outcome_json: string | null;
  };
  step: OfEvent & {
    run: string;
    host_id: string;
    attempt: number;
    step: string;
    name: string | null;
    job: string | null;
    job_kind: string | null;
    boot_id_before: string | null;
    started_at: number;
    ended_at: number | null;
    ok: number | null;
    message: string | null;
    output_sha256: string | null;
  };
  update_result: {
    run: string;
    host_id: string;
    attempt: number;
    /** Empty where neither the event nor a scan of the host names it. */
    manager: string;
    name: string;
    arch: string;
    from_version: string | null;
    to_version: string;
    now_version: string | null;
    state: UpdateState;
    at: number;
    message: string | null;
  };
  reboot: OfEvent & { run: string; host_id: string; at: number; reboot_json: string };
  finding: OfPart & { run: string; host_id: string; check_name: string; level: string; message: string };
  scan: OfEvent & {
    host_id: string;
    run: string;
    purpose: string;
    at: number;
    /** The only package manager of the scan; null where each update names its own. */
    manager: string | null;
    security: number;
    other: number;
    held_back: number;
    reboot_needed: string;
    status_json: string;
    packages_sha256: string;
  };
  host_fact: { host_id: string; seen_from: number; seen_to: number; facts_json: string };
  /** Of the scan that showed it first. */
  missing_update: OfPart & {
    host_id: string;
    manager: string;
    name: string;
    arch: string;
    from_version: string;
    to_version: string;
    class: string;
    held_back: string | null;
    title: string | null;
    source: string | null;
    source_version: string | null;
    /** As mapped; `vendor_severity` is the publisher's own word. */
    severity: string | null;
    vendor_severity: string | null;
    advisories_json: string | null;
    cves_json: string | null;
    size_bytes: number | null;
    origins_json: string | null;
    first_seen: number;
    gone_at: number | null;
  };
  host_history: {
    host_id: string;
    at: number;
    update_id: string;
    revision: number;
    operation: string;
    name: string;
    title: string;
    result: string;
    message: string | null;
    client: string;
  };
  plan: {
    sha256: string;
    plan: string;
    run: string;
    created_at: number;
    expires_at: number;
    hosts: number;
    updates: number;
  };
  note: OfEvent & { run: string | null; host: string | null; level: string; message: string; at: number };
  lease: {
    host_id: string;
    run: string;
    holder_json: string;
    fence: number;
    expires_at: number;
    /** Which start of the machine `boot_expires` counts from, in milliseconds; both absent where it is not known. */
    boot_id: string | null;
    boot_expires: number | null;
  };
  stop_request: { run: string; at: number };
}
