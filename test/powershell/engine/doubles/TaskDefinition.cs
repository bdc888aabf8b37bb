using System.Text.Json.Nodes;
using System.Xml;

namespace Fettle.Engine.Doubles;

/// <summary>ITaskDefinition, with the defaults of the Task Scheduler's documentation.</summary>
[Interfaces("ITaskDefinition")]
public sealed class TaskDefinition : ComObject
{
    public RegistrationInfo RegistrationInfo { get; } = new();
    public TaskPrincipal Principal { get; } = new();
    public TaskSettings Settings { get; } = new();
    public ActionCollection Actions { get; } = new();
    public TriggerCollection Triggers { get; } = new();
    public string Data { get; set; } = "";

    /// <exception cref="COMException">What the service says of a definition that it does not take.</exception>
    internal JsonObject Checked()
    {
        if (Actions.Count == 0)
        {
            // SCHED_E_MISSINGNODE
            throw Fault(unchecked((int)0x80041319), "The task XML is missing a required element or attribute. (1,2):Actions:");
        }
        RequireDuration("ExecutionTimeLimit", Settings.ExecutionTimeLimit);
        RequireDuration("DeleteExpiredTaskAfter", Settings.DeleteExpiredTaskAfter);
        foreach (var trigger in Triggers.All)
        {
            RequireDate("StartBoundary", trigger.StartBoundary);
            RequireDate("EndBoundary", trigger.EndBoundary);
        }
        if (Settings.DeleteExpiredTaskAfter.Length > 0 && !Triggers.All.Any(trigger => trigger.EndBoundary.Length > 0))
        {
            throw Fault(unchecked((int)0x80041319), "The task XML is missing a required element or attribute. (1,2):EndBoundary:");
        }
        return new JsonObject
        {
            ["description"] = RegistrationInfo.Description,
            ["principal"] = Fields(Principal),
            ["settings"] = Fields(Settings),
            ["actions"] = new JsonArray(Actions.All.Select(action => (JsonNode?)new JsonObject
            {
                ["path"] = action.Path,
                ["arguments"] = action.Arguments,
                ["workingDirectory"] = action.WorkingDirectory,
            }).ToArray()),
            ["triggers"] = new JsonArray(Triggers.All.Select(trigger => (JsonNode?)Fields(trigger)).ToArray()),
        };
    }

    private static void RequireDuration(string name, string text)
    {
        try
        {
            if (text.Length > 0)
            {
                XmlConvert.ToTimeSpan(text);
            }
        }
        catch (FormatException)
        {
            throw Invalid(name, text);
        }
    }

    private static void RequireDate(string name, string text)
    {
        try
        {
            if (text.Length > 0)
            {
                XmlConvert.ToDateTimeOffset(text);
            }
        }
        catch (FormatException)
        {
            throw Invalid(name, text);
        }
    }

    /// SCHED_E_INVALIDVALUE
    private static Exception Invalid(string name, string text) =>
        Fault(unchecked((int)0x80041318), $"The task XML contains a value which is incorrectly formatted or out of range. (1,2):{name}:{text}");

    private static JsonObject Fields(object part)
    {
        var fields = new JsonObject();
        foreach (var property in part.GetType().GetProperties().Where(property => property.PropertyType == typeof(string) || property.PropertyType.IsPrimitive))
        {
            var name = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
            fields[name] = property.GetValue(part) switch
            {
                bool flag => flag,
                int number => number,
                object text => text.ToString(),
                null => "",
            };
        }
        return fields;
    }
}

[Interfaces("IRegistrationInfo")]
public sealed class RegistrationInfo : ComObject
{
    public string Author { get; set; } = "";
    public string Description { get; set; } = "";
    public string Documentation { get; set; } = "";
    public string Date { get; set; } = "";
    public string Source { get; set; } = "";
    public string URI { get; set; } = "";
    public string Version { get; set; } = "";
}

[Interfaces("IPrincipal")]
public sealed class TaskPrincipal : ComObject
{
    public string Id { get; set; } = "";
    public string DisplayName { get; set; } = "";
    public string UserId { get; set; } = "";
    public string GroupId { get; set; } = "";
    public int LogonType { get; set; }
    public int RunLevel { get; set; }
}

[Interfaces("ITaskSettings")]
public sealed class TaskSettings : ComObject
{
    public bool AllowDemandStart { get; set; } = true;
    public bool AllowHardTerminate { get; set; } = true;
    public int Compatibility { get; set; } = 2;
    public string DeleteExpiredTaskAfter { get; set; } = "";
    public bool DisallowStartIfOnBatteries { get; set; } = true;
    public bool Enabled { get; set; } = true;
    public string ExecutionTimeLimit { get; set; } = "PT72H";
    public bool Hidden { get; set; }
    public IdleSettings IdleSettings { get; } = new();
    public int MultipleInstances { get; set; } = 2;
    public int Priority { get; set; } = 7;
    public int RestartCount { get; set; }
    public string RestartInterval { get; set; } = "";
    public bool RunOnlyIfIdle { get; set; }
    public bool RunOnlyIfNetworkAvailable { get; set; }
    public bool StartWhenAvailable { get; set; }
    public bool StopIfGoingOnBatteries { get; set; } = true;
    public bool WakeToRun { get; set; }
}

[Interfaces("IIdleSettings")]
public sealed class IdleSettings : ComObject
{
    public string IdleDuration { get; set; } = "PT10M";
    public string WaitTimeout { get; set; } = "PT1H";
    public bool StopOnIdleEnd { get; set; } = true;
    public bool RestartOnIdle { get; set; }
}

[Interfaces("ITrigger")]
public sealed class TaskTrigger(int type) : ComObject
{
    public int Type { get; } = type;
    public string Id { get; set; } = "";
    public bool Enabled { get; set; } = true;
    public string StartBoundary { get; set; } = "";
    public string EndBoundary { get; set; } = "";
    public string ExecutionTimeLimit { get; set; } = "";
}

[Interfaces("IExecAction")]
public sealed class ExecAction : ComObject
{
    public int Type => 0;
    public string Id { get; set; } = "";
    public string Path { get; set; } = "";
    public string Arguments { get; set; } = "";
    public string WorkingDirectory { get; set; } = "";
}

/// <summary>Collections of the Task Scheduler count from one.</summary>
public class TaskCollection<T>(IEnumerable<T> items) : ComCollection<T>(items)
{
    public override T Item(int index) => base.Item(index - 1);
}

[Interfaces("IActionCollection")]
public sealed class ActionCollection() : TaskCollection<ExecAction>([])
{
    public string Context { get; set; } = "";

    /// <summary>Type 0 (execute) is the only one that is left of the documented four.</summary>
    public ExecAction Create(int type)
    {
        if (type != 0)
        {
            throw Fault(unchecked((int)0x80070057));
        }
        Items.Add(new ExecAction());
        return Items[^1];
    }

    public void Clear() => Items.Clear();
}

[Interfaces("ITriggerCollection")]
public sealed class TriggerCollection() : TaskCollection<TaskTrigger>([])
{
    public TaskTrigger Create(int type)
    {
        Items.Add(new TaskTrigger(type));
        return Items[^1];
    }

    public void Clear() => Items.Clear();
}
