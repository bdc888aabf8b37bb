import type { WindowsModel, WindowsUpdate } from './model.ts';

const winlogon = String.raw`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon`;
const servicing = String.raw`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing`;

/** What a start of Windows changes, at epoch milliseconds `now`. */
export function boot(model: WindowsModel, now: number): void {
  model.boot = { number: model.boot.number + 1, time: now };
  delete model.shutdown;
  for (const [path, key] of Object.entries(model.registry)) if (key.isVolatile === true) delete model.registry[path];
  for (const task of Object.values(model.tasks)) {
    if (task.state === 4 || task.state === 2) task.state = 3;
    task.enginePid = 0;
  }
  for (const service of Object.values(model.services)) {
    const starts = service.startType === 'Automatic' && service.failsAfterReboot !== true;
    service.status = starts ? 'Running' : 'Stopped';
  }
  const waiting = model.updates.filter((update) => update.isWaitingForReboot);
  for (const update of waiting) settle(update, model);
  setServicing(model, waiting.length > 0 && model.reboot.servicingMs > 0 ? 2 : 0);
}

/** The part of an installation that Windows leaves to the start after it. */
function settle(update: WindowsUpdate, model: WindowsModel): void {
  update.isWaitingForReboot = false;
  update.isInstalled = !update.rollsBackAtReboot && (!update.needsCommit || update.isCommitted === true);
  if (update.isInstalled && update.ubr !== undefined) model.os.ubr = update.ubr;
}

/** LogonUI is about to show the prompt: "Working on updates" is over. */
export function showLogonUi(model: WindowsModel): void {
  model.registry[String.raw`${winlogon}\AutoLogonChecked`] = { isVolatile: true, values: {} };
}

/** `Interface!ServicingInProgress`: 2 while the servicing stack works. */
export function setServicing(model: WindowsModel, state: 0 | 1 | 2): void {
  model.registry[String.raw`${servicing}\Interface`] = {
    values: { ServicingInProgress: { kind: 'DWord', data: state } },
  };
}
