using System.Globalization;
using System.Text.Json.Nodes;

namespace Fettle.Engine.Doubles;

/// <summary>IUpdate5 (IWindowsDriverUpdate for a driver): what a search found, except for what changes after it.</summary>
[Interfaces("IUpdate", "IUpdate2", "IUpdate3", "IUpdate4", "IUpdate5")]
public sealed class Update(JsonObject found) : ComObject
{
    public string Title => found.Text("title");
    public string Description => "Install this update to resolve issues in Windows.";
    public UpdateIdentity Identity => new(found.Text("id"), found.Whole("revision"));
    public StringCollection KBArticleIDs => new(found.Texts("kb"));
    public ComCollection<Category> Categories => new(found.Objects("categories").Select(category => new Category(category)));
    public string? MsrcSeverity => found.Text("severity") is { Length: > 0 } severity ? severity : null;
    public int Type => found.Text("type") == "driver" ? 2 : 1;
    public decimal MaxDownloadSize => (decimal)found.Number("size");
    public decimal MinDownloadSize => 0;
    public InstallationBehavior InstallationBehavior => new(found);
    public int DeploymentAction => found.Whole("deploymentAction", 1);
    public DateTime LastDeploymentChangeTime => DateTime.Parse(found.Text("published", "2026-01-01T00:00:00Z"), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
    public object? Deadline => null;
    public bool AutoSelectOnWebSites => !found.Flag("browseOnly");
    public bool BrowseOnly => found.Flag("browseOnly");
    public bool PerUser => found.Flag("perUser");
    public bool IsBeta => false;
    public bool IsMandatory => found.Flag("isMandatory");
    public bool IsUninstallable => false;
    public bool IsPresent => Live.Flag("isInstalled");
    public bool IsInstalled => Live.Flag("isInstalled");
    public bool IsDownloaded => Live.Flag("isDownloaded");
    public bool RebootRequired => Live.Flag("isWaitingForReboot");
    public bool EulaAccepted => Live.Flag("eulaAccepted", true);
    public string EulaText => EulaAccepted ? "" : "These license terms are an agreement.";
    public string HandlerID => "http://schemas.microsoft.com/msus/2002/12/UpdateHandlers/CommandLineInstallation";
    public string SupportUrl => "https://support.microsoft.com/help/" + found.Texts("kb").FirstOrDefault("");
    public StringCollection MoreInfoUrls => new([]);
    public StringCollection CveIDs => new(found.Texts("cves"));
    public StringCollection SecurityBulletinIDs => new([]);
    public StringCollection SupersededUpdateIDs => new(found.Texts("supersedes"));
    public StringCollection Languages => new([]);
    public ComCollection<Update> BundledUpdates => new([]);
    public ComCollection<Update> DownloadContents => new([]);

    public bool IsHidden
    {
        get => Live.Flag("isHidden");
        set
        {
            Wua.RequireLocal();
            Change(live => live["isHidden"] = value);
        }
    }

    internal string Id => found.Text("id");
    internal int Revision => found.Whole("revision");

    /// The update as it stands; one that the source has withdrawn since is as it was found.
    internal JsonObject Live => Wua.Find(Model.Read(), Id, Revision) ?? found;

    public void AcceptEula()
    {
        Wua.RequireLocal();
        BeforeRead(nameof(AcceptEula));
        Change(live => live["eulaAccepted"] = true);
    }

    /// A damaged data store makes single properties throw.
    internal override void BeforeRead(string name)
    {
        if (found.Object("failingProperties").HResult(name) is var fault and not 0)
        {
            throw Fault(fault);
        }
    }

    private void Change(Action<JsonObject> change) => Model.Update(model =>
    {
        if (Wua.Find(model, Id, Revision) is { } live)
        {
            change(live);
        }
    });
}

[Interfaces("IUpdateIdentity")]
public sealed class UpdateIdentity(string id, int revision) : ComObject
{
    public string UpdateID => id;
    public int RevisionNumber => revision;
}

[Interfaces("IInstallationBehavior")]
public sealed class InstallationBehavior(JsonObject update) : ComObject
{
    public bool CanRequestUserInput => update.Flag("canRequestUserInput");
    public int Impact => update.Whole("impact");
    public int RebootBehavior => update.Whole("rebootBehavior");
    public bool RequiresNetworkConnectivity => false;
}

[Interfaces("ICategory")]
public sealed class Category(JsonObject category) : ComObject
{
    public string CategoryID => category.Text("id");
    public string Name => category.Text("name");
    public string Type => category.Text("type");
    public string Description => "";
    public int Order => 0;
    public object? Parent => null;
}

/// <summary>IStringCollection; also Microsoft.Update.StringColl.</summary>
[Interfaces("IStringCollection")]
public sealed class StringCollection(IEnumerable<string> items) : ComCollection<string>(items)
{
    public bool ReadOnly => false;

    public int Add(string value)
    {
        Items.Add(value);
        return Items.Count - 1;
    }

    public void Clear() => Items.Clear();
}

/// <summary>IUpdateCollection; also Microsoft.Update.UpdateColl.</summary>
[Interfaces("IUpdateCollection")]
public sealed class UpdateCollection(IEnumerable<Update> items) : ComCollection<Update>(items)
{
    public bool ReadOnly => false;

    public int Add(Update value)
    {
        Items.Add(value);
        return Items.Count - 1;
    }

    public void Clear() => Items.Clear();
    public void Insert(int index, Update value) => Items.Insert(index, value);
    public void RemoveAt(int index) => Items.RemoveAt(index);
    public UpdateCollection Copy() => new(Items);
}
