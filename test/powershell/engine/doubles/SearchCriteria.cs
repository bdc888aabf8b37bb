using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Fettle.Engine.Doubles;

/// <summary>
/// The grammar of IUpdateSearcher.Search as its page in the SDK gives it: `=` for every key, `!=` for Type and UpdateID
/// only, `contains` for CategoryIDs, AND, OR at the top level, 0 and 1 for truth.
/// </summary>
internal static partial class SearchCriteria
{
    private const string Default = "IsInstalled=0 and IsHidden=0";

    /// <exception cref="COMException">0x80240032.</exception>
    public static Func<JsonObject, bool> Parse(string criteria)
    {
        var text = criteria.Trim().Length == 0 ? Default : criteria.Trim();
        var alternatives = Or().Split(text).Select(part => Conjunction(part.Trim())).ToArray();
        return update => alternatives.Any(alternative => alternative(update));
    }

    private static Func<JsonObject, bool> Conjunction(string text)
    {
        var inner = text.StartsWith('(') && text.EndsWith(')') ? text[1..^1] : text;
        var terms = And().Split(inner).Select(part => Term().Match(part)).ToArray();
        if (terms.Any(term => !term.Success))
        {
            throw ComObject.Fault(WuaCodes.InvalidCriteria);
        }
        var tests = terms.Select(Test).ToList();
        if (!terms.Any(term => term.Groups["key"].Value.Equals("DeploymentAction", StringComparison.OrdinalIgnoreCase)))
        {
            // Without one, only what is to be installed is found.
            tests.Add(update => update.Whole("deploymentAction", 1) == 1);
        }
        return update => tests.All(test => test(update));
    }

    private static Func<JsonObject, bool> Test(Match term)
    {
        var key = term.Groups["key"].Value.ToUpperInvariant();
        var sign = term.Groups["sign"].Value.ToUpperInvariant();
        var value = term.Groups["text"].Success ? term.Groups["text"].Value : term.Groups["number"].Value;
        if (sign == "CONTAINS" != (key == "CATEGORYIDS") || (sign == "!=" && key is not ("TYPE" or "UPDATEID")))
        {
            throw ComObject.Fault(WuaCodes.InvalidCriteria);
        }
        Func<JsonObject, bool> test = key switch
        {
            "TYPE" => update => update.Text("type", "software").Equals(value, StringComparison.OrdinalIgnoreCase),
            "UPDATEID" => update => update.Text("id").Equals(value, StringComparison.OrdinalIgnoreCase),
            "REVISIONNUMBER" => update => update.Whole("revision").ToString() == value,
            "CATEGORYIDS" => update => update.Objects("categories").Any(category => category.Text("id").Equals(value, StringComparison.OrdinalIgnoreCase)),
            "DEPLOYMENTACTION" => update => update.Whole("deploymentAction", 1) == ActionOf(value),
            "BROWSEONLY" => Flag("browseOnly", value),
            "AUTOSELECTONWEBSITES" => update => !update.Flag("browseOnly") == IsTrue(value),
            "ISINSTALLED" or "ISPRESENT" => Flag("isInstalled", value),
            "ISHIDDEN" => Flag("isHidden", value),
            "ISASSIGNED" => _ => IsTrue(value),
            "REBOOTREQUIRED" => Flag("isWaitingForReboot", value),
            _ => throw ComObject.Fault(WuaCodes.InvalidCriteria),
        };
        return sign == "!=" ? update => !test(update) : test;
    }

    private static Func<JsonObject, bool> Flag(string name, string value)
    {
        var wanted = IsTrue(value);
        return update => update.Flag(name) == wanted;
    }

    private static bool IsTrue(string value) => value switch
    {
        "1" => true,
        "0" => false,
        _ => throw ComObject.Fault(WuaCodes.InvalidCriteria),
    };

    private static int ActionOf(string value) => value.ToUpperInvariant() switch
    {
        "INSTALLATION" => 1,
        "UNINSTALLATION" => 2,
        "OPTIONALINSTALLATION" => 4,
        _ => throw ComObject.Fault(WuaCodes.InvalidCriteria),
    };

    [GeneratedRegex(@"\s+or\s+", RegexOptions.IgnoreCase)]
    private static partial Regex Or();

    [GeneratedRegex(@"\s+and\s+", RegexOptions.IgnoreCase)]
    private static partial Regex And();

    [GeneratedRegex(@"^\s*(?<key>[A-Za-z]+)\s*(?<sign>=|!=|contains)\s*(?:'(?<text>[^']*)'|(?<number>\d+))\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex Term();
}
