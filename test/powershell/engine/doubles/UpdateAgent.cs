using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Fettle.Engine.Doubles;

/// <summary>HRESULTs of the Windows Update Agent (wuerror.h) that the doubles give.</summary>
internal static class WuaCodes
{
    public const int AccessDenied = unchecked((int)0x80070005);
    public const int DiskFull = unchecked((int)0x80070070);
    public const int UnknownService = unchecked((int)0x80240042);
    public const int InvalidIndex = unchecked((int)0x80240007);
    public const int InstallNotAllowed = unchecked((int)0x80240016);
    public const int ExclusiveConflict = unchecked((int)0x80240019);
    public const int NoInteractiveUser = unchecked((int)0x80240020);
    public const int EulasDeclined = unchecked((int)0x80240023);
    public const int NoUpdate = unchecked((int)0x80240024);
    public const int InvalidCriteria = unchecked((int)0x80240032);
    public const int InvalidOperation = unchecked((int)0x80240036);
    public const int NewServicingStackNeeded = unchecked((int)0x80242017);
    public const int NotDownloaded = unchecked((int)0x80246007);
    public const int ServiceDisabled = unchecked((int)0x80070422);
    public const int BadPath = unchecked((int)0x8007007B);
    public const int Pointer = unchecked((int)0x80004003);
}

/// <summary>What the agent asks of the host before it does a thing.</summary>
internal static class Wua
{
    public static JsonObject Settings => Model.Read().Object("agent");

    /// <summary>Refused to a network logon, whatever rights its account has.</summary>
    public static void RequireLocal()
    {
        if (!Model.IsSystem && Settings.Flag("remoteTokenRefusesWua", true))
        {
            throw ComObject.Fault(WuaCodes.AccessDenied);
        }
    }

    public static void RequireService()
    {
        var service = Model.Read().Object("services").Object("wuauserv");
        if (service.Text("startType") == "Disabled")
        {
            throw ComObject.Fault(WuaCodes.ServiceDisabled);
        }
        if (service.Text("status") == "Stopped")
        {
            // The agent starts its service by itself.
            Model.Update(model => model.Object("services").Object("wuauserv")["status"] = "Running");
        }
    }

    /// <summary>A damaged agent: single properties throw.</summary>
    public static void RequireProperty(string of, string name)
    {
        if (Settings.Object(of).HResult(name) is var fault and not 0)
        {
            throw ComObject.Fault(fault);
        }
    }

    /// <summary>The fault of an update source that cannot be reached, as often as the model says.</summary>
    public static void RequireSource()
    {
        var fault = Model.Update(model =>
        {
            var agent = model.Object("agent");
            var times = agent.Whole("searchFaultTimes", -1);
            if (agent.HResult("searchFault") == 0 || times == 0)
            {
                return 0;
            }
            agent["searchFaultTimes"] = times < 0 ? -1 : times - 1;
            return agent.HResult("searchFault");
        });
        if (fault != 0)
        {
            throw ComObject.Fault(fault);
        }
    }

    public static JsonObject? Find(JsonObject model, string id, int revision) =>
        model.Objects("updates").FirstOrDefault(update => update.Text("id") == id && update.Whole("revision") == revision);
}

/// <summary>Microsoft.Update.Session (IUpdateSession3).</summary>
[Interfaces("IUpdateSession", "IUpdateSession2", "IUpdateSession3")]
public sealed class UpdateSession : ComObject
{
    public string ClientApplicationID { get; set; } = "";
    public bool ReadOnly => false;

    public int UserLocale { get; set; } = 1033;

    public UpdateSearcher CreateUpdateSearcher() => new(ClientApplicationID);

    public UpdateDownloader CreateUpdateDownloader()
    {
        Wua.RequireLocal();
        return new UpdateDownloader(ClientApplicationID);
    }

    public UpdateInstaller CreateUpdateInstaller()
    {
        Wua.RequireLocal();
        return new UpdateInstaller(ClientApplicationID);
    }

    public UpdateServiceManager CreateUpdateServiceManager() => new();

    public ComCollection<UpdateHistoryEntry> QueryHistory(string criteria, int startIndex, int count) =>
        new UpdateSearcher(ClientApplicationID).QueryHistory(startIndex, count);
}

/// <summary>Microsoft.Update.SystemInfo (ISystemInformation): refused to a network logon.</summary>
[Interfaces("ISystemInformation")]
public sealed class SystemInformation : ComObject
{
    public string OemHardwareSupportLink => "";

    public bool RebootRequired
    {
        get
        {
            Wua.RequireLocal();
            return Model.Read().Objects("updates").Any(update => update.Flag("isWaitingForReboot"));
        }
    }
}

/// <summary>Microsoft.Update.AgentInfo (IWindowsUpdateAgentInfo).</summary>
[Interfaces("IWindowsUpdateAgentInfo")]
public sealed class AgentInformation : ComObject
{
    public object GetInfo(object infoIdentifier) => infoIdentifier.ToString() switch
    {
        "ProductVersionString" => Wua.Settings.Text("version"),
        "ApiMajorVersion" => 8,
        "ApiMinorVersion" => 0,
        _ => throw Fault(unchecked((int)0x80070057)),
    };
}

/// <summary>Microsoft.Update.AutoUpdate (IAutomaticUpdates2).</summary>
[Interfaces("IAutomaticUpdates", "IAutomaticUpdates2")]
public sealed class AutomaticUpdates : ComObject
{
    public bool ServiceEnabled => true;
    public AutomaticUpdatesResults Results { get; } = new();
}

[Interfaces("IAutomaticUpdatesResults")]
public sealed class AutomaticUpdatesResults : ComObject
{
    public object? LastSearchSuccessDate => Last(Model.Read().Object("agent")["lastSearch"]);

    public object? LastInstallationSuccessDate =>
        Last(Model.Read().Objects("history").FirstOrDefault(entry => entry.Whole("resultCode") == 2)?["date"]);

    private static object? Last(JsonNode? milliseconds) =>
        milliseconds is null ? null : DateTime.SpecifyKind(JsonFields.Epoch(milliseconds.GetValue<double>()), DateTimeKind.Unspecified);
}

/// <summary>Microsoft.Update.ServiceManager (IUpdateServiceManager2).</summary>
[Interfaces("IUpdateServiceManager", "IUpdateServiceManager2")]
public sealed class UpdateServiceManager : ComObject
{
    public string ClientApplicationID { get; set; } = "";

    public ComCollection<UpdateService> Services
    {
        get
        {
            var agent = Wua.Settings;
            var isManaged = agent.Text("source") == "wsus";
            var own = agent.Objects("services").Select((service, index) => new UpdateService(service, isDefault: !isManaged && index == 0));
            var packages = agent.Objects("scanPackages").Select(service => new UpdateService(service, isDefault: false));
            return new(own.Concat(packages));
        }
    }

    public UpdateService AddService2(string serviceID, int flags, string authorizationCabPath)
    {
        Wua.RequireLocal();
        var added = new JsonObject { ["id"] = serviceID, ["name"] = "Microsoft Update", ["isManaged"] = false };
        Model.Update(model =>
        {
            var services = model.Object("agent").Array("services");
            if (!services.Any(service => service!.Text("id") == serviceID))
            {
                services.Add(added.DeepClone());
            }
        });
        return new UpdateService(added, isDefault: false);
    }

    /// <exception cref="COMException">0x8007007B for a share, 0x80070002 for no file, 0x80247001 for a file that is no catalogue.</exception>
    public UpdateService AddScanPackageService(string serviceName, string scanFileLocation, int flags = 0)
    {
        Wua.RequireLocal();
        if (scanFileLocation.StartsWith(@"\\", StringComparison.Ordinal) || scanFileLocation.StartsWith("//", StringComparison.Ordinal))
        {
            throw Fault(WuaCodes.BadPath);
        }
        if (!File.Exists(scanFileLocation))
        {
            throw Fault(unchecked((int)0x80070002));
        }
        using (var file = File.OpenRead(scanFileLocation))
        {
            // A cabinet begins with MSCF.
            Span<byte> head = stackalloc byte[4];
            if (file.ReadAtLeast(head, 4, throwOnEndOfStream: false) < 4 || !head.SequenceEqual("MSCF"u8))
            {
                throw Fault(unchecked((int)0x80247001));
            }
        }
        var added = new JsonObject { ["id"] = Guid.NewGuid().ToString(), ["name"] = serviceName, ["path"] = scanFileLocation, ["isManaged"] = false };
        Model.Update(model => model.Object("agent").Array("scanPackages").Add(added.DeepClone()));
        return new UpdateService(added, isDefault: false);
    }

    public void RemoveService(string serviceID)
    {
        Wua.RequireLocal();
        var isGone = Model.Update(model =>
        {
            var packages = model.Object("agent").Array("scanPackages");
            return packages.RemoveAll(package => package!.Text("id") == serviceID) > 0;
        });
        if (!isGone)
        {
            throw Fault(WuaCodes.UnknownService);
        }
    }
}

[Interfaces("IUpdateService", "IUpdateService2")]
public sealed class UpdateService(JsonObject service, bool isDefault) : ComObject
{
    public string ServiceID => service.Text("id");
    public string Name => service.Text("name");
    public bool IsManaged => service.Flag("isManaged");
    public bool IsDefaultAUService => isDefault;
    public bool IsRegisteredWithAU => isDefault;
    public bool IsScanPackageService => service["path"] is not null;
    public bool OffersWindowsUpdates => true;
    public string ServiceUrl => "";
}
