using System.ComponentModel;
using System.Management.Automation;
using System.Text.Json.Nodes;

namespace Fettle.Engine.Doubles;

/// <summary>System.ServiceProcess.ServiceControllerStatus.</summary>
public enum ServiceControllerStatus
{
    Stopped = 1,
    StartPending = 2,
    StopPending = 3,
    Running = 4,
    Paused = 7,
}

/// <summary>System.ServiceProcess.ServiceStartMode.</summary>
public enum ServiceStartMode
{
    Automatic = 2,
    Manual = 3,
    Disabled = 4,
}

/// <summary>
/// System.ServiceProcess.ServiceController of .NET Framework 4.5.2, which has no StartType yet: what it knew when it was
/// made or refreshed.
/// </summary>
public sealed class ServiceControllerDouble
{
    private JsonObject _state;

    internal ServiceControllerDouble(string name, JsonObject state)
    {
        ServiceName = name;
        _state = state;
    }

    public string ServiceName { get; }
    public string Name => ServiceName;
    public string DisplayName => _state.Text("displayName");
    public ServiceControllerStatus Status => Enum.Parse<ServiceControllerStatus>(_state.Text("status"));
    private ServiceStartMode StartMode => Enum.Parse<ServiceStartMode>(_state.Text("startType"));

    public void Refresh() => _state = Model.Read().Object("services").Object(ServiceName);

    public void Start()
    {
        if (Status == ServiceControllerStatus.Running)
        {
            throw Refused("start", 1056, "An instance of the service is already running");
        }
        RequireAdministrator("start");
        if (StartMode == ServiceStartMode.Disabled)
        {
            throw Refused("start", 1058, "The service cannot be started, either because it is disabled or because it has no enabled devices associated with it");
        }
        if (_state.Text("startError") is { Length: > 0 } words)
        {
            throw Refused("start", 1053, words);
        }
        Set("Running");
    }

    public void Stop()
    {
        RequireAdministrator("stop");
        Set("Stopped");
    }

    public void WaitForStatus(ServiceControllerStatus desiredStatus, TimeSpan timeout) => Refresh();

    public override string ToString() => ServiceName;

    internal static IEnumerable<ServiceControllerDouble> All() =>
        Model.Read().Object("services").Select(pair => new ServiceControllerDouble(pair.Key, pair.Value!.AsObject()));

    private void Set(string status)
    {
        Model.Update(model => model.Object("services").Object(ServiceName)["status"] = status);
        Refresh();
    }

    private void RequireAdministrator(string verb)
    {
        if (!Account.IsAdministrator)
        {
            throw Refused(verb, 5, "Access is denied");
        }
    }

    private InvalidOperationException Refused(string verb, int code, string words) =>
        new($"Cannot {verb} service {ServiceName} on computer '.'.", new Win32Exception(code, words));
}

[Cmdlet(VerbsCommon.Get, "Service")]
public sealed class GetServiceCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    public string[] Name { get; set; } = [];

    protected override void ProcessRecord() => ServiceCmdlets.Each(this, Name.Length == 0 ? ["*"] : Name, WriteObject);
}

[Cmdlet(VerbsLifecycle.Start, "Service")]
public sealed class StartServiceCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string[] Name { get; set; } = [];

    protected override void ProcessRecord() => ServiceCmdlets.Each(this, Name, service =>
    {
        if (service.Status != ServiceControllerStatus.Running)
        {
            ServiceCmdlets.Try(this, "StartServiceFailed", service, service.Start);
        }
    });
}

[Cmdlet(VerbsLifecycle.Restart, "Service")]
public sealed class RestartServiceCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string[] Name { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() => ServiceCmdlets.Each(this, Name, service =>
    {
        ServiceCmdlets.Try(this, "StartServiceFailed", service, () =>
        {
            service.Stop();
            service.Start();
        });
    });
}

internal static class ServiceCmdlets
{
    public static void Each(PSCmdlet cmdlet, IEnumerable<string> names, Action<ServiceControllerDouble> act)
    {
        foreach (var name in names)
        {
            var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
            var found = ServiceControllerDouble.All().Where(service => pattern.IsMatch(service.ServiceName)).ToArray();
            if (found.Length == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
            {
                var missing = new InvalidOperationException($"Cannot find any service with service name '{name}'.");
                cmdlet.WriteError(new ErrorRecord(missing, "NoServiceFoundForGivenName", ErrorCategory.ObjectNotFound, name));
            }
            foreach (var service in found)
            {
                act(service);
            }
        }
    }

    public static void Try(PSCmdlet cmdlet, string id, ServiceControllerDouble service, Action act)
    {
        try
        {
            act();
        }
        catch (InvalidOperationException error)
        {
            var words = $"Service '{service.DisplayName} ({service.ServiceName})' cannot be started due to the following error: {error.Message}";
            cmdlet.WriteError(new ErrorRecord(new InvalidOperationException(words, error), id, ErrorCategory.OpenError, service));
        }
    }
}
