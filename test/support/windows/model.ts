/** An HRESULT as `'0x80240017'`. */
type HResult = `0x${string}`;

interface OperationResult {
  /** OperationResultCode of wuapi.h: 2 succeeded, 3 with errors, 4 failed, 5 aborted. */
  readonly resultCode: 2 | 3 | 4 | 5;
  readonly hresult?: HResult;
}

export interface WindowsCategory {
  /** GUID, lower case. */
  id: string;
  name: string;
  type: 'UpdateClassification' | 'Product' | 'ProductFamily' | 'Company';
}

/** One update that the host's update source offers. */
export interface WindowsUpdate {
  id: string;
  revision: number;
  title: string;
  /** Digits only. */
  kb: string[];
  categories: WindowsCategory[];
  /** MsrcSeverity; `''` for everything that is not a security update. */
  severity: '' | 'Critical' | 'Important' | 'Moderate' | 'Low';
  type: 'software' | 'driver';
  /** MaxDownloadSize, bytes. */
  size: number;
  isInstalled: boolean;
  isDownloaded: boolean;
  isHidden: boolean;
  isMandatory: boolean;
  browseOnly: boolean;
  /** InstallationImpact: 2 is exclusive. */
  impact: 0 | 1 | 2;
  /** InstallationRebootBehavior: 0 never, 1 always, 2 may. */
  rebootBehavior: 0 | 1 | 2;
  canRequestUserInput: boolean;
  eulaAccepted: boolean;
  /** DeploymentAction: 1 installation, 4 optional installation. */
  deploymentAction: 0 | 1 | 2 | 3 | 4;
  perUser: boolean;
  downloadSeconds: number;
  installSeconds: number;
  downloadResult: OperationResult;
  installResult: OperationResult;
  /** Installs, and is gone again after the reboot. */
  rollsBackAtReboot: boolean;
  /** A feature upgrade: nothing is applied unless IUpdateInstaller4.Commit was called. */
  needsCommit: boolean;
  /** A new revision is offered as soon as this one is installed. */
  isEndless: boolean;
  /** Properties that throw this HRESULT when read. */
  failingProperties: Record<string, HResult>;
  /** LastDeploymentChangeTime, ISO 8601. */
  published: string;
  cves: string[];
  supersedes: string[];
  /** Update ids that must be installed before: 0x80242017 until then. */
  requires: string[];
  /** The UBR that the host has once this one is applied. */
  ubr?: number;
  /** Offered no more: no search finds it. */
  isWithdrawn?: boolean;
  /** A search that asked its source has found it; set by the doubles. */
  isKnown?: boolean;
  /** In the list even where a search ends with errors. */
  isFoundInSpite?: boolean;
  /** Installed, and not yet applied; set by the doubles. */
  isWaitingForReboot: boolean;
  /** IUpdateInstaller4.Commit was called; set by the doubles. */
  isCommitted?: boolean;
}

export interface RegistryKeyModel {
  isVolatile?: boolean;
  values: Record<string, RegistryValue>;
}

interface RegistryValue {
  kind: 'String' | 'ExpandString' | 'MultiString' | 'DWord' | 'QWord' | 'Binary';
  /** Binary as base64. */
  data: string | number | string[];
}

export interface ServiceModel {
  displayName: string;
  status: 'Running' | 'Stopped' | 'StartPending' | 'StopPending' | 'Paused';
  startType: 'Automatic' | 'Manual' | 'Disabled';
  isDelayed?: boolean;
  isTriggered?: boolean;
  /** Starting it fails with this message. */
  startError?: string;
  /** Running before a reboot, stopped after it. */
  failsAfterReboot?: boolean;
}

/** A registered task; `state` as TASK_STATE of taskschd.h. */
interface TaskModel {
  definition: {
    principal: Record<string, string | number>;
    settings: Record<string, string | number | boolean>;
    actions: { path: string; arguments: string; workingDirectory: string }[];
    triggers: Record<string, string | number | boolean>[];
    description: string;
  };
  state: number;
  lastTaskResult: number;
  /** Epoch milliseconds; 0 before the first run. */
  lastRunTime: number;
  enginePid: number;
  instance: string;
}

interface DiskModel {
  letter: string;
  size: number;
  free: number;
  label: string;
}

/** Everything a simulated Windows host is, as it stands in model.json. */
export interface WindowsModel {
  os: {
    caption: string;
    version: string;
    build: number;
    ubr: number;
    /** EditionID. */
    edition: string;
    displayVersion: string;
    installationType: 'Server' | 'Server Core' | 'Client';
    /** 1 workstation, 2 domain controller, 3 server. */
    productType: 1 | 2 | 3;
    computerName: string;
    domain: string;
    isDomainJoined: boolean;
  };
  boot: {
    number: number;
    /** Epoch milliseconds. */
    time: number;
  };
  /** What shutdown.exe has asked for; `at` in epoch milliseconds. */
  shutdown?: { at: number; isReboot: boolean; isInProgress: boolean; reason: string; comment: string };
  /**
   * How long a reboot keeps the host off, and then answering 503, milliseconds; `delayShare` is the part of what
   * shutdown.exe was told to wait that it does wait.
   */
  reboot: {
    delayShare: number;
    shutdownMs: number;
    offMs: number;
    bootingMs: number;
    logonUiMs: number;
    servicingMs: number;
  };
  updates: WindowsUpdate[];
  /** Update history, newest first; written by the doubles. */
  history: {
    title: string;
    updateId: string;
    revision: number;
    /** Epoch milliseconds. */
    date: number;
    operation: 1 | 2;
    resultCode: number;
    hresult: number;
    clientApplicationId: string;
  }[];
  agent: {
    version: string;
    isBusy: boolean;
    rebootRequiredBeforeInstallation: boolean;
    /** The update service that a default search uses. */
    source: 'wsus' | 'windows-update';
    /** Search and download throw it, as when the source cannot be reached. */
    searchFault: HResult | '';
    /** The fault is thrown this many times; -1 is for ever. */
    searchFaultTimes: number;
    searchSeconds: number;
    /** How a search that asks the source ends: OperationResultCode of wuapi.h; with 3 only some of the list is there. */
    searchResult?: 0 | 1 | 2 | 3 | 4 | 5;
    /** It ends so this many times, then well; -1 is for ever. */
    searchResultTimes?: number;
    /** An agent of before Windows 8: it does not know DeploymentAction='OptionalInstallation'. */
    isOld?: boolean;
    /** Properties that throw this HRESULT when read: of a search's result, the installer, and the results of an install. */
    failingSearch?: Record<string, HResult>;
    failingInstaller?: Record<string, HResult>;
    failingResult?: Record<string, HResult>;
    failingOwnResult?: Record<string, HResult>;
    /** `online` or `local`, and the criteria of each search; written by the doubles. */
    searches?: string[];
    /** Empty COM objects, as Windows of June 2024 returned them. */
    returnsEmptyUpdates: boolean;
    /** Calls that Windows refuses to a network logon throw 0x80070005. */
    remoteTokenRefusesWua: boolean;
    /** COM errors come wrapped in MethodInvocationException, as before Windows 10. */
    wrapsComErrors: boolean;
    scanPackages: { id: string; name: string; path: string }[];
    services: { id: string; name: string; isManaged: boolean }[];
    searchWarnings: { message: string; hresult: HResult; context: number }[];
    /** Epoch milliseconds of the last search that succeeded. */
    lastSearch?: number;
  };
  services: Record<string, ServiceModel>;
  /** Keys by full path (`HKLM\SOFTWARE\…`); parents exist by themselves. */
  registry: Record<string, RegistryKeyModel>;
  tasks: Record<string, TaskModel>;
  /** The time a task waits in the queue, milliseconds. */
  taskStartMs: number;
  /** A queued task waits until this file is there. */
  taskGate?: string;
  /** SCHED_E… of a task that cannot be registered or run. */
  taskFault: HResult | '';
  /** The account of the network logon. */
  account: { name: string; sid: string; isAdministrator: boolean };
  /** Interactive sessions. */
  sessions: { user: string; state: 'Active' | 'Disc' }[];
  languageMode: 'FullLanguage' | 'ConstrainedLanguage';
  powershellVersion: string;
  /** OEM code page of redirected streams. */
  codePage: number;
  /** stderr begins with the progress record of a first module load. */
  firstUseProgress: boolean;
  disks: DiskModel[];
  memory: { totalBytes: number; freeBytes: number };
  /** SDDL by path, where it is not inherited. */
  acls: Record<string, string>;
  /** Rows of CIM classes that are not computed from the fields above; dates as `{"date": epoch ms}`. */
  cim: Record<string, Record<string, unknown>[]>;
  /** Named mutexes that somebody else holds, such as `Global\\_MSIExecute`. */
  mutexes: string[];
}
