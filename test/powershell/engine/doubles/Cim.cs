using System.Globalization;
using System.Management.Automation;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Fettle.Engine.Doubles;

/// <summary>Get-CimInstance: a few classes made of the model, the others from its `cim` rows.</summary>
[Cmdlet(VerbsCommon.Get, "CimInstance")]
public sealed class GetCimInstanceCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public string ClassName { get; set; } = "";

    [Parameter]
    public string Namespace { get; set; } = @"root\cimv2";

    [Parameter]
    public string Filter { get; set; } = "";

    [Parameter]
    public string[] Property { get; set; } = [];

    [Parameter]
    public uint OperationTimeoutSec { get; set; }

    protected override void EndProcessing()
    {
        if (!Account.IsAdministrator)
        {
            WriteError(new ErrorRecord(new InvalidOperationException("Access denied "), "HRESULT 0x80041003,Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand", ErrorCategory.PermissionDenied, ClassName));
            return;
        }
        if (CimClasses.Rows(ClassName) is not { } rows)
        {
            // The words and the identifier of CimException for WBEM_E_INVALID_CLASS.
            var error = new ErrorRecord(new InvalidOperationException("Invalid class "), "HRESULT 0x80041010,Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand", ErrorCategory.MetadataError, ClassName);
            WriteError(error);
            return;
        }
        foreach (var row in rows.Where(row => CimFilter.Matches(Filter, row)))
        {
            var instance = new PSObject();
            foreach (var (name, value) in row)
            {
                instance.Properties.Add(new PSNoteProperty(name, value));
            }
            WriteObject(instance);
        }
    }
}

/// <summary>Invoke-CimMethod: the owner of a process.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "CimMethod")]
public sealed class InvokeCimMethodCommand : PSCmdlet
{
    /// No property of Windows: what only a method tells.
    internal const string Owner = "*Owner";
    internal const string OwnerSid = "*OwnerSid";

    [Parameter(Mandatory = true)]
    public PSObject InputObject { get; set; } = new();

    [Parameter(Mandatory = true)]
    public string MethodName { get; set; } = "";

    protected override void EndProcessing()
    {
        var result = new PSObject();
        switch (MethodName.ToUpperInvariant())
        {
            case "GETOWNERSID":
                result.Properties.Add(new PSNoteProperty("Sid", InputObject.Properties[OwnerSid].Value));
                break;
            case "GETOWNER":
                var words = ((string)InputObject.Properties[Owner].Value).Split('\\');
                result.Properties.Add(new PSNoteProperty("Domain", words[0]));
                result.Properties.Add(new PSNoteProperty("User", words[^1]));
                break;
            default:
                // The words and the identifier of CimException for WBEM_E_INVALID_METHOD.
                ThrowTerminatingError(new ErrorRecord(new InvalidOperationException("Invalid method "), "HRESULT 0x8004102e,Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand", ErrorCategory.InvalidOperation, MethodName));
                break;
        }
        result.Properties.Add(new PSNoteProperty("ReturnValue", 0u));
        WriteObject(result);
    }
}

internal static class CimClasses
{
    private static readonly string[] Known =
    [
        "Win32_ComputerSystemProduct", "Win32_QuickFixEngineering", "Win32_BIOS", "Win32_Processor", "Win32_Battery",
        "Win32_NetworkAdapterConfiguration", "Win32_PhysicalMemory", "Win32_LogonSession", "Win32_PnPSignedDriver",
    ];

    public static IEnumerable<IReadOnlyDictionary<string, object?>>? Rows(string className)
    {
        var model = Model.Read();
        var written = model.Object("cim").FirstOrDefault(pair => pair.Key.Equals(className, StringComparison.OrdinalIgnoreCase)).Value;
        if (written is JsonArray rows)
        {
            return rows.OfType<JsonObject>().Select(row => row.ToDictionary(pair => pair.Key, pair => Value(pair.Value)));
        }
        return className.ToUpperInvariant() switch
        {
            "WIN32_OPERATINGSYSTEM" => [OperatingSystem(model)],
            "WIN32_COMPUTERSYSTEM" => [ComputerSystem(model)],
            "WIN32_PROCESS" => Processes(model),
            "WIN32_LOGICALDISK" => model.Objects("disks").Select(LogicalDisk),
            "WIN32_SERVICE" => model.Object("services").Select(pair => Service(pair.Key, pair.Value!.AsObject())),
            _ => Known.Contains(className, StringComparer.OrdinalIgnoreCase) ? [] : null,
        };
    }

    private static Dictionary<string, object?> OperatingSystem(JsonObject model)
    {
        var os = model.Object("os");
        var memory = model.Object("memory");
        return new()
        {
            ["Caption"] = os.Text("caption"),
            ["Version"] = os.Text("version"),
            ["BuildNumber"] = os.Whole("build").ToString(CultureInfo.InvariantCulture),
            ["CSName"] = os.Text("computerName"),
            ["OSArchitecture"] = "64-bit",
            ["ProductType"] = (uint)os.Whole("productType"),
            ["Locale"] = "0409",
            ["LastBootUpTime"] = JsonFields.Epoch(model.Object("boot").Number("time")).ToLocalTime(),
            ["LocalDateTime"] = DateTime.Now,
            ["InstallDate"] = new DateTime(2024, 3, 4, 5, 6, 7, DateTimeKind.Local),
            ["TotalVisibleMemorySize"] = (ulong)memory.Number("totalBytes") / 1024,
            ["FreePhysicalMemory"] = (ulong)memory.Number("freeBytes") / 1024,
            ["TotalVirtualMemorySize"] = (ulong)memory.Number("totalBytes") / 1024,
            ["FreeVirtualMemory"] = (ulong)memory.Number("freeBytes") / 1024,
            ["WindowsDirectory"] = Environment.GetEnvironmentVariable("SystemRoot"),
        };
    }

    private static Dictionary<string, object?> ComputerSystem(JsonObject model)
    {
        var os = model.Object("os");
        return new()
        {
            ["Name"] = os.Text("computerName"),
            ["Domain"] = os.Text("domain"),
            ["PartOfDomain"] = os.Flag("isDomainJoined"),
            ["Manufacturer"] = "QEMU",
            ["Model"] = "Standard PC (Q35 + ICH9, 2009)",
            ["TotalPhysicalMemory"] = (ulong)model.Object("memory").Number("totalBytes"),
            ["NumberOfLogicalProcessors"] = 4u,
            ["UserName"] = model.Objects("sessions").FirstOrDefault(session => session.Text("state") == "Active")?.Text("user"),
        };
    }

    /// Services, the console that waits for a logon with the desktop's own accounts, and a shell for each session.
    private static IEnumerable<Dictionary<string, object?>> Processes(JsonObject model)
    {
        yield return Process(900, 0, "svchost.exe", @"NT AUTHORITY\SYSTEM", "S-1-5-18");
        yield return Process(910, 1, "winlogon.exe", @"NT AUTHORITY\SYSTEM", "S-1-5-18");
        yield return Process(911, 1, "dwm.exe", @"Window Manager\DWM-1", "S-1-5-90-0-1");
        var session = 1u;
        foreach (var user in model.Objects("sessions").Select(item => item.Text("user")))
        {
            session++;
            yield return Process(1000 + (10 * session), session, "winlogon.exe", @"NT AUTHORITY\SYSTEM", "S-1-5-18");
            yield return Process(1001 + (10 * session), session, "explorer.exe", user, $"S-1-5-21-1004336348-1177238915-682003330-{1100 + session}");
        }
    }

    private static Dictionary<string, object?> Process(uint id, uint session, string name, string owner, string sid) => new()
    {
        ["ProcessId"] = id,
        ["SessionId"] = session,
        ["Name"] = name,
        [InvokeCimMethodCommand.Owner] = owner,
        [InvokeCimMethodCommand.OwnerSid] = sid,
    };

    private static Dictionary<string, object?> LogicalDisk(JsonObject disk) => new()
    {
        ["DeviceID"] = disk.Text("letter"),
        ["DriveType"] = 3u,
        ["Size"] = (ulong)disk.Number("size"),
        ["FreeSpace"] = (ulong)disk.Number("free"),
        ["VolumeName"] = disk.Text("label"),
        ["FileSystem"] = "NTFS",
    };

    private static Dictionary<string, object?> Service(string name, JsonObject service)
    {
        var isAutomatic = service.Text("startType") == "Automatic";
        return new()
        {
            ["Name"] = name,
            ["DisplayName"] = service.Text("displayName"),
            ["State"] = service.Text("status"),
            ["StartMode"] = isAutomatic ? "Auto" : service.Text("startType"),
            ["DelayedAutoStart"] = service.Flag("isDelayed"),
            ["ExitCode"] = 0u,
            ["ProcessId"] = service.Text("status") == "Running" ? 1000u : 0u,
        };
    }

    private static object? Value(JsonNode? node) => node switch
    {
        JsonObject date when date["date"] is { } => JsonFields.Epoch(date.Number("date")).ToLocalTime(),
        JsonArray list => list.Select(Value).ToArray(),
        JsonValue value when value.TryGetValue(out string? text) => text,
        JsonValue value when value.TryGetValue(out bool flag) => flag,
        JsonValue value when value.TryGetValue(out double number) => number == Math.Floor(number) ? (ulong)Math.Abs(number) : number,
        _ => null,
    };
}

/// <summary>`Name = 'x' AND DriveType=3`: comparisons joined by AND, or by OR.</summary>
internal static class CimFilter
{
    public static bool Matches(string filter, IReadOnlyDictionary<string, object?> row) =>
        filter.Trim().Length == 0
        || Regex.Split(filter, @"\s+OR\s+", RegexOptions.IgnoreCase)
            .Any(part => Regex.Split(part, @"\s+AND\s+", RegexOptions.IgnoreCase).All(one => Holds(one, row)));

    private static bool Holds(string comparison, IReadOnlyDictionary<string, object?> row)
    {
        var match = Regex.Match(comparison, @"^\s*(\w+)\s*(=|<>|!=|LIKE)\s*(?:'([^']*)'|""([^""]*)""|([\w.]+))\s*$", RegexOptions.IgnoreCase);
        if (!match.Success)
        {
            throw new ArgumentException("Invalid query ");
        }
        var wanted = match.Groups.Values.Skip(3).First(group => group.Success).Value;
        var found = Convert.ToString(row.FirstOrDefault(pair => pair.Key.Equals(match.Groups[1].Value, StringComparison.OrdinalIgnoreCase)).Value, CultureInfo.InvariantCulture) ?? "";
        var isEqual = match.Groups[2].Value.Equals("LIKE", StringComparison.OrdinalIgnoreCase)
            ? Regex.IsMatch(found, $"^{Regex.Escape(wanted).Replace("%", ".*")}$", RegexOptions.IgnoreCase)
            : found.Equals(wanted, StringComparison.OrdinalIgnoreCase);
        return isEqual != (match.Groups[2].Value is "<>" or "!=");
    }
}
