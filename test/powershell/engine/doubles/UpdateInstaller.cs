using System.Text.Json.Nodes;

namespace Fettle.Engine.Doubles;

/// <summary>What became of the download of one update.</summary>
[Interfaces("IUpdateDownloadResult")]
public class UpdateDownloadResult(int resultCode, int hresult) : ComObject
{
    public int ResultCode => resultCode;
    public int HResult => hresult;
}

/// <summary>What became of the installation of one update.</summary>
[Interfaces("IUpdateInstallationResult")]
public sealed class UpdateInstallationResult(int resultCode, int hresult, bool rebootRequired) : UpdateDownloadResult(resultCode, hresult)
{
    public bool RebootRequired => rebootRequired;

    internal override void BeforeRead(string name) => Wua.RequireProperty("failingOwnResult", name);
}

[Interfaces("IDownloadResult")]
public sealed class DownloadResult(IReadOnlyList<UpdateDownloadResult> results) : ComObject
{
    public int ResultCode => Results.Code(results);
    public int HResult => Results.Fault(results);

    public UpdateDownloadResult GetUpdateResult(int updateIndex) => Results.At(results, updateIndex);
}

[Interfaces("IInstallationResult")]
public sealed class InstallationResult(IReadOnlyList<UpdateInstallationResult> results) : ComObject
{
    public int ResultCode => Results.Code(results);
    public int HResult => Results.Fault(results);
    public bool RebootRequired => results.Any(result => result.RebootRequired);

    public UpdateInstallationResult GetUpdateResult(int updateIndex) => Results.At(results, updateIndex);

    internal override void BeforeRead(string name) => Wua.RequireProperty("failingResult", name);
}

internal static class Results
{
    /// Failed when all failed, with errors when some did.
    public static int Code(IReadOnlyList<UpdateDownloadResult> results) =>
        results.All(result => result.ResultCode == 2) ? 2 : results.Any(result => result.ResultCode is 2 or 3) ? 3 : 4;

    public static int Fault(IReadOnlyList<UpdateDownloadResult> results) =>
        results.FirstOrDefault(result => result.ResultCode != 2)?.HResult ?? 0;

    public static T At<T>(IReadOnlyList<T> results, int index) =>
        index >= 0 && index < results.Count ? results[index] : throw ComObject.Fault(WuaCodes.InvalidIndex);
}

/// <summary>Microsoft.Update.Downloader (IUpdateDownloader).</summary>
[Interfaces("IUpdateDownloader")]
public sealed class UpdateDownloader(string clientApplicationId) : ComObject
{
    public string ClientApplicationID { get; set; } = clientApplicationId;
    public bool IsForced { get; set; }
    public int Priority { get; set; } = 2;
    public UpdateCollection Updates { get; set; } = new([]);

    public DownloadResult Download()
    {
        Wua.RequireLocal();
        if (Updates.Count == 0)
        {
            throw Fault(WuaCodes.NoUpdate);
        }
        Wua.RequireSource();
        return new DownloadResult(Updates.All.Select(One).ToArray());
    }

    private static UpdateDownloadResult One(Update update)
    {
        var live = update.Live;
        if (!live.Flag("eulaAccepted", true))
        {
            return new UpdateDownloadResult(4, WuaCodes.EulasDeclined);
        }
        Thread.Sleep(TimeSpan.FromSeconds(live.Number("downloadSeconds")));
        var planned = live.Object("downloadResult");
        if (planned.Whole("resultCode", 2) != 2)
        {
            return new UpdateDownloadResult(planned.Whole("resultCode"), planned.HResult("hresult"));
        }
        var isStored = Model.Update(model =>
        {
            var disk = model.Objects("disks").First();
            var left = disk.Number("free") - live.Number("size");
            if (left < 0)
            {
                return false;
            }
            disk["free"] = left;
            if (Wua.Find(model, update.Id, update.Revision) is { } stored)
            {
                stored["isDownloaded"] = true;
            }
            return true;
        });
        return isStored ? new UpdateDownloadResult(2, 0) : new UpdateDownloadResult(4, WuaCodes.DiskFull);
    }
}

/// <summary>Microsoft.Update.Installer (IUpdateInstaller4).</summary>
[Interfaces("IUpdateInstaller", "IUpdateInstaller2", "IUpdateInstaller3", "IUpdateInstaller4")]
public sealed class UpdateInstaller(string clientApplicationId) : ComObject
{
    public string ClientApplicationID { get; set; } = clientApplicationId;
    public bool IsForced { get; set; }
    public bool ForceQuiet { get; set; }
    public bool AllowSourcePrompts { get; set; } = true;
    public bool AttemptCloseAppsIfNecessary { get; set; }
    public UpdateCollection Updates { get; set; } = new([]);
    public bool IsBusy => Wua.Settings.Flag("isBusy");
    public bool RebootRequiredBeforeInstallation => Wua.Settings.Flag("rebootRequiredBeforeInstallation");

    internal override void BeforeRead(string name) => Wua.RequireProperty("failingInstaller", name);

    /// <exception cref="COMException">0x80240024 without updates, 0x80240016 when another one installs or a restart is due, 0x80240019 for an exclusive update among others.</exception>
    public InstallationResult Install()
    {
        Wua.RequireLocal();
        if (Updates.Count == 0)
        {
            throw Fault(WuaCodes.NoUpdate);
        }
        if (IsBusy || RebootRequiredBeforeInstallation)
        {
            throw Fault(WuaCodes.InstallNotAllowed);
        }
        if (Updates.Count > 1 && Updates.All.Any(update => update.Live.Whole("impact") == 2))
        {
            throw Fault(WuaCodes.ExclusiveConflict);
        }
        return new InstallationResult(Updates.All.Select(One).ToArray());
    }

    /// <summary>Tells the agent that the restart is coming: a feature update is applied only then.</summary>
    public void Commit(int flags)
    {
        Wua.RequireLocal();
        BeforeRead(nameof(Commit));
        Model.Update(model =>
        {
            foreach (var update in model.Objects("updates").Where(update => update.Flag("isWaitingForReboot")))
            {
                update["isCommitted"] = true;
            }
        });
    }

    private UpdateInstallationResult One(Update update)
    {
        var live = update.Live;
        if (Obstacle(live) is var obstacle and not 0)
        {
            return Recorded(update, new UpdateInstallationResult(4, obstacle, false));
        }
        Thread.Sleep(TimeSpan.FromSeconds(live.Number("installSeconds")));
        var planned = live.Object("installResult");
        if (planned.Whole("resultCode", 2) != 2)
        {
            return Recorded(update, new UpdateInstallationResult(planned.Whole("resultCode"), planned.HResult("hresult"), false));
        }
        var needsReboot = live.Whole("rebootBehavior") != 0;
        Model.Update(model => Installation.Store(model, update, needsReboot));
        return Recorded(update, new UpdateInstallationResult(2, 0, needsReboot));
    }

    private int Obstacle(JsonObject live)
    {
        if (!live.Flag("isDownloaded"))
        {
            return WuaCodes.NotDownloaded;
        }
        if (!live.Flag("eulaAccepted", true))
        {
            return WuaCodes.EulasDeclined;
        }
        if (live.Flag("canRequestUserInput") || live.Flag("perUser"))
        {
            return WuaCodes.NoInteractiveUser;
        }
        var model = Model.Read();
        var installed = model.Objects("updates").Where(other => other.Flag("isInstalled") || other.Flag("isWaitingForReboot")).Select(other => other.Text("id")).ToHashSet();
        return live.Texts("requires").All(installed.Contains) ? 0 : WuaCodes.NewServicingStackNeeded;
    }

    private UpdateInstallationResult Recorded(Update update, UpdateInstallationResult result)
    {
        Model.Update(model => model.Array("history").Insert(0, new JsonObject
        {
            ["title"] = update.Title,
            ["updateId"] = update.Id,
            ["revision"] = update.Revision,
            ["date"] = JsonFields.Now(),
            ["operation"] = 1,
            ["resultCode"] = result.ResultCode,
            ["hresult"] = result.HResult,
            ["clientApplicationId"] = ClientApplicationID,
        }));
        return result;
    }
}

internal static class Installation
{
    private const string Servicing = @"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending";
    private const string AutoUpdate = @"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired";

    /// <summary>Either done, or left to the next start, with the signs that Windows leaves.</summary>
    public static void Store(JsonObject model, Update update, bool needsReboot)
    {
        if (Wua.Find(model, update.Id, update.Revision) is not { } stored)
        {
            return;
        }
        if (needsReboot)
        {
            stored["isWaitingForReboot"] = true;
            var keys = model.Object("registry");
            keys[Servicing] = new JsonObject { ["isVolatile"] = true, ["values"] = new JsonObject() };
            var required = keys.Object(AutoUpdate);
            required["isVolatile"] = true;
            required.Object("values")[update.Id] = new JsonObject { ["kind"] = "DWord", ["data"] = 1 };
            return;
        }
        stored["isInstalled"] = true;
        if (stored["ubr"] is { } ubr)
        {
            model.Object("os")["ubr"] = ubr.DeepClone();
        }
        if (stored.Flag("isEndless"))
        {
            var next = stored.DeepClone().AsObject();
            next["revision"] = stored.Whole("revision") + 1;
            next["isInstalled"] = false;
            next["isDownloaded"] = false;
            model.Array("updates").Add(next);
        }
    }
}
