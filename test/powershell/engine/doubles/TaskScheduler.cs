using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Fettle.Engine.Doubles;

/// <summary>Schedule.Service: tasks are entries of the model, and running one starts a process as SYSTEM.</summary>
[Interfaces("ITaskService")]
public sealed class TaskService : ComObject
{
    public bool Connected { get; private set; }
    public string TargetServer => "";
    public int HighestVersion => 0x00010006;

    public void Connect(object? serverName = null, object? user = null, object? domain = null, object? password = null) => Connected = true;

    public TaskDefinition NewTask(int flags)
    {
        RequireConnection();
        return new TaskDefinition();
    }

    public TaskFolder GetFolder(string path)
    {
        RequireConnection();
        return path is "\\" or "" ? new TaskFolder() : throw Fault(unchecked((int)0x80070002), "The system cannot find the file specified. (Exception from HRESULT: 0x80070002)");
    }

    public TaskCollection<RunningTask> GetRunningTasks(int flags)
    {
        RequireConnection();
        return new(RegisteredTask.All().Where(task => task.State == TaskStates.Running).Select(task => new RunningTask(task)));
    }

    private void RequireConnection()
    {
        if (!Connected)
        {
            // ERROR_ONLY_IF_CONNECTED
            throw Fault(unchecked((int)0x800704E3), "This operation is supported only when you are connected to the server. (Exception from HRESULT: 0x800704E3)");
        }
    }
}

/// <summary>TASK_STATE of taskschd.h.</summary>
internal static class TaskStates
{
    public const int Disabled = 1;
    public const int Queued = 2;
    public const int Ready = 3;
    public const int Running = 4;
}

/// <summary>The root folder.</summary>
[Interfaces("ITaskFolder")]
public sealed class TaskFolder : ComObject
{
    private const int CreateOrUpdate = 6;
    private const int CreateOnly = 2;
    private const int NotFound = unchecked((int)0x80070002);

    public string Name => "\\";
    public string Path => "\\";

    public RegisteredTask RegisterTaskDefinition(string path, TaskDefinition definition, int flags, object? userId, object? password, int logonType, object? sddl = null)
    {
        if (!Account.IsAdministrator)
        {
            throw Fault(unchecked((int)0x80070005));
        }
        if (Model.Read().HResult("taskFault") is var fault and not 0)
        {
            throw Fault(fault);
        }
        if (flags is not (CreateOnly or CreateOrUpdate))
        {
            throw Fault(unchecked((int)0x80070057));
        }
        var name = path.Trim('\\');
        var written = definition.Checked();
        Model.Update(model =>
        {
            var tasks = model.Object("tasks");
            if (flags == CreateOnly && tasks.ContainsKey(name))
            {
                throw Fault(unchecked((int)0x800700B7), "Cannot create a file when that file already exists. (Exception from HRESULT: 0x800700B7)");
            }
            tasks[name] = new JsonObject
            {
                ["definition"] = written,
                ["state"] = definition.Settings.Enabled ? TaskStates.Ready : TaskStates.Disabled,
                // SCHED_S_TASK_HAS_NOT_RUN
                ["lastTaskResult"] = 0x00041303,
                ["lastRunTime"] = 0,
                ["enginePid"] = 0,
                ["instance"] = "",
            };
        });
        return new RegisteredTask(name);
    }

    public RegisteredTask GetTask(string path) =>
        RegisteredTask.All().FirstOrDefault(task => task.Name.Equals(path.Trim('\\'), StringComparison.OrdinalIgnoreCase)) ?? throw Missing();

    public TaskCollection<RegisteredTask> GetTasks(int flags)
    {
        const int WithHidden = 1;
        return new(RegisteredTask.All().Where(task => flags == WithHidden || !task.IsHidden));
    }

    /// <summary>The process of a running task goes on.</summary>
    public void DeleteTask(string name, int flags)
    {
        if (!Model.Update(model => model.Object("tasks").Remove(name.Trim('\\'))))
        {
            throw Missing();
        }
    }

    private static Exception Missing() =>
        new FileNotFoundException("The system cannot find the file specified. (Exception from HRESULT: 0x80070002)") { HResult = NotFound };
}

[Interfaces("IRegisteredTask")]
public sealed class RegisteredTask(string name) : ComObject
{
    private JsonObject Entry => Model.Read().Object("tasks").Object(name);

    public string Name => name;
    public string Path => $"\\{name}";
    public int LastTaskResult => Entry.Whole("lastTaskResult");
    public DateTime LastRunTime => Entry.Number("lastRunTime") is > 0 and var time ? JsonFields.Epoch(time).ToLocalTime() : new DateTime(1999, 11, 30);
    public bool Enabled => Entry.Object("definition").Object("settings").Flag("enabled", true);
    internal bool IsHidden => Entry.Object("definition").Object("settings").Flag("hidden");
    internal int EnginePid => Entry.Whole("enginePid");
    internal string Instance => Entry.Text("instance");

    /// A process that died without a word is one that the service has seen end.
    public int State
    {
        get
        {
            var entry = Entry;
            var isGone = entry.Whole("state") == TaskStates.Running && !Directory.Exists($"/proc/{entry.Whole("enginePid")}");
            return isGone ? TaskStates.Ready : entry.Whole("state", TaskStates.Ready);
        }
    }

    public RunningTask Run(object? parameters) => RunEx(parameters, 0, 0, "");

    public RunningTask RunEx(object? parameters, int flags, int sessionId, object? user)
    {
        var settings = Entry.Object("definition").Object("settings");
        if (State == TaskStates.Running && settings.Whole("multipleInstances") == 2)
        {
            // SCHED_E_ALREADY_RUNNING
            throw Fault(unchecked((int)0x8004131F), "An instance of this task is already running. (Exception from HRESULT: 0x8004131F)");
        }
        if (!settings.Flag("enabled", true))
        {
            throw Fault(unchecked((int)0x80041326), "The task is disabled. (Exception from HRESULT: 0x80041326)");
        }
        Model.Update(model =>
        {
            var entry = model.Object("tasks").Object(name);
            entry["state"] = TaskStates.Queued;
            // SCHED_S_TASK_QUEUED
            entry["lastTaskResult"] = 0x00041325;
            entry["instance"] = Guid.NewGuid().ToString("B");
        });
        HostProcess.StartDetached("--task", name);
        return new RunningTask(this);
    }

    public void Stop(int flags)
    {
        var pid = EnginePid;
        if (State == TaskStates.Running)
        {
            HostProcess.KillSession(pid);
        }
        Model.Update(model =>
        {
            var entry = model.Object("tasks").Object(name);
            entry["state"] = TaskStates.Ready;
            // SCHED_S_TASK_TERMINATED
            entry["lastTaskResult"] = 0x00041306;
            entry["enginePid"] = 0;
        });
    }

    public TaskCollection<RunningTask> GetInstances(int flags) => new(State == TaskStates.Running ? [new RunningTask(this)] : []);

    internal static IEnumerable<RegisteredTask> All() =>
        Model.Read().Object("tasks").Select(pair => new RegisteredTask(pair.Key));
}

/// <summary>One run of a task, as it stood when it was asked for or refreshed.</summary>
[Interfaces("IRunningTask")]
public sealed class RunningTask : ComObject
{
    private readonly RegisteredTask _task;

    internal RunningTask(RegisteredTask task)
    {
        _task = task;
        InstanceGuid = task.Instance;
        Refresh();
    }

    public string Name => _task.Name;
    public string Path => _task.Path;
    public string InstanceGuid { get; }
    public string CurrentAction => "";
    public int State { get; private set; }
    public int EnginePID { get; private set; }

    public void Refresh()
    {
        State = _task.State;
        EnginePID = _task.EnginePid;
    }

    public void Stop() => _task.Stop(0);
}

/// <summary>Processes that outlive the session that started them, as those of services do.</summary>
internal static class HostProcess
{
    public static void StartDetached(params string[] arguments)
    {
        if (ForkServer.TryStartDetached(arguments, Model.Directory))
        {
            return;
        }
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = Model.Directory };
        foreach (var word in new[] { "-c", "setsid \"$@\" </dev/null >/dev/null 2>&1 &", "sh", Environment.ProcessPath! }.Concat(arguments))
        {
            start.ArgumentList.Add(word);
        }
        using var process = Process.Start(start)!;
        process.WaitForExit();
    }

    /// A task leads a session of its own; its children go with it.
    public static void KillSession(int pid)
    {
        using var kill = Process.Start("/bin/kill", ["-KILL", "--", $"-{pid.ToString(CultureInfo.InvariantCulture)}"]);
        kill.WaitForExit();
    }
}
