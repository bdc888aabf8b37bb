using System.Text.Json.Nodes;

namespace Fettle.Engine.Doubles;

/// <summary>Microsoft.Update.Searcher (IUpdateSearcher3).</summary>
[Interfaces("IUpdateSearcher", "IUpdateSearcher2", "IUpdateSearcher3")]
public sealed class UpdateSearcher(string clientApplicationId) : ComObject
{
    private string _serviceId = "00000000-0000-0000-0000-000000000000";

    public bool CanAutomaticallyUpgradeService { get; set; }
    public string ClientApplicationID { get; set; } = clientApplicationId;
    public bool IncludePotentiallySupersededUpdates { get; set; }
    public bool Online { get; set; } = true;

    /// ServerSelection of wuapi.h: 0 default, 1 managed server, 2 Windows Update, 3 others, by ServiceID.
    public int ServerSelection { get; set; }
    public int SearchScope { get; set; } = 1;

    public string ServiceID
    {
        get => _serviceId;
        set => _serviceId = Guid.TryParse(value, out _) ? value : throw Fault(unchecked((int)0x80070057));
    }

    public SearchResult Search(string criteria)
    {
        Wua.RequireService();
        RequireKnownService();
        if (Online)
        {
            Wua.RequireSource();
        }
        var matches = SearchCriteria.Parse(criteria);
        if (Wua.Settings.Flag("isOld") && criteria.Contains("OptionalInstallation", StringComparison.OrdinalIgnoreCase))
        {
            throw Fault(WuaCodes.InvalidCriteria);
        }
        Thread.Sleep(TimeSpan.FromSeconds(Wua.Settings.Number("searchSeconds")));
        var code = Model.Update(model => Ended(model, matches, criteria));
        var all = Model.Read();
        var isEmpty = all.Object("agent").Flag("returnsEmptyUpdates");
        var isFailed = code is 4 or 5;
        var found = all.Objects("updates").Where(matches).Where(update => update.Flag("isKnown") && !isFailed);
        // A list that is cut short: what is installed is known to the host itself.
        var offered = found.Where(update => code == 2 || update.Flag("isInstalled") || update.Flag("isFoundInSpite"));
        return new SearchResult(offered.Select(update => new Update(isEmpty ? Emptied(update) : update)), code);
    }

    /// A search that asks the source learns what is on offer; one on the host alone knows what was learnt before.
    private int Ended(JsonObject model, Func<JsonObject, bool> matches, string criteria)
    {
        var agent = model.Object("agent");
        agent.Array("searches").Add((Online ? "online " : "local ") + criteria);
        if (!Online)
        {
            return 2;
        }
        agent["lastSearch"] = JsonFields.Now();
        foreach (var update in model.Objects("updates").Where(matches))
        {
            update["isKnown"] = !update.Flag("isWithdrawn");
        }
        var times = agent.Whole("searchResultTimes", -1);
        if (times == 0)
        {
            return 2;
        }
        agent["searchResultTimes"] = times < 0 ? -1 : times - 1;
        return agent.Whole("searchResult", 2);
    }

    /// <exception cref="COMException">Refused to a network logon; local callers must give COM callbacks.</exception>
    public object BeginSearch(string criteria, object? onCompleted, object? state)
    {
        Wua.RequireLocal();
        throw Fault(WuaCodes.Pointer);
    }

    public int GetTotalHistoryCount() => Model.Read().Array("history").Count;

    /// <exception cref="COMException">0x80240007 when nothing is there, or the numbers are out of range.</exception>
    public ComCollection<UpdateHistoryEntry> QueryHistory(int startIndex, int count)
    {
        var history = Model.Read().Objects("history").ToArray();
        if (count <= 0 || startIndex < 0 || startIndex >= history.Length)
        {
            throw Fault(WuaCodes.InvalidIndex);
        }
        return new(history.Skip(startIndex).Take(count).Select(entry => new UpdateHistoryEntry(entry)));
    }

    public string EscapeString(string unescaped) => unescaped.Replace("'", "''");

    private void RequireKnownService()
    {
        var agent = Wua.Settings;
        if (ServerSelection == 1 && agent.Text("source") != "wsus")
        {
            // WU_E_NO_SERVICE: no managed server is set.
            throw Fault(unchecked((int)0x80240001));
        }
        var known = agent.Objects("services").Concat(agent.Objects("scanPackages"));
        if (ServerSelection == 3 && !known.Any(service => service.Text("id").Equals(ServiceID, StringComparison.OrdinalIgnoreCase)))
        {
            throw Fault(WuaCodes.UnknownService);
        }
    }

    private static JsonObject Emptied(JsonObject update) => new()
    {
        ["id"] = update.Text("id"),
        ["revision"] = update.Whole("revision"),
        ["published"] = "1970-01-01T00:00:00Z",
    };
}

/// <summary>ISearchResult.</summary>
[Interfaces("ISearchResult")]
public sealed class SearchResult(IEnumerable<Update> found, int code) : ComObject
{
    public int ResultCode => code;
    public UpdateCollection Updates { get; } = new(found);
    public ComCollection<Category> RootCategories => new([]);
    public ComCollection<UpdateException> Warnings { get; } =
        new(Wua.Settings.Objects("searchWarnings").Select(warning => new UpdateException(warning)));

    internal override void BeforeRead(string name) => Wua.RequireProperty("failingSearch", name);
}

/// <summary>IUpdateException.</summary>
[Interfaces("IUpdateException")]
public sealed class UpdateException(JsonObject warning) : ComObject
{
    public string Message => warning.Text("message");
    public int HResult => warning.HResult("hresult");
    public int Context => warning.Whole("context");
}

/// <summary>IUpdateHistoryEntry2.</summary>
[Interfaces("IUpdateHistoryEntry", "IUpdateHistoryEntry2")]
public sealed class UpdateHistoryEntry(JsonObject entry) : ComObject
{
    public DateTime Date => DateTime.SpecifyKind(JsonFields.Epoch(entry.Number("date")), DateTimeKind.Unspecified);
    public string Title => entry.Text("title");
    public string Description => "";
    public int Operation => entry.Whole("operation", 1);
    public int ResultCode => entry.Whole("resultCode");
    public int HResult => entry.HResult("hresult");
    public int UnmappedResultCode => 0;
    public string ClientApplicationID => entry.Text("clientApplicationId");
    public int ServerSelection => 2;
    public string ServiceID => "";
    public string SupportUrl => "";
    public UpdateIdentity UpdateIdentity => new(entry.Text("updateId"), entry.Whole("revision"));
}
