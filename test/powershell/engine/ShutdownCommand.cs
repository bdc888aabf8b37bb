using System.Text.Json.Nodes;

namespace Fettle.Engine;

/// <summary>
/// shutdown.exe: leaves its wish in the model, where the host's keeper (test/support/windows-host.ts) finds it. Exit
/// codes are those of Windows: 1190 scheduled already, 1115 in progress, 1116 nothing to abort, 5 denied, 87 bad words.
/// </summary>
internal static class ShutdownCommand
{
    private const int LongestComment = 512;

    public static int Run(string[] args)
    {
        if (!Doubles.Account.IsAdministrator)
        {
            return Say(5, "Access is denied.(5)");
        }
        var words = args.Select(word => word.ToLowerInvariant()).ToArray();
        if (words.Contains("/a"))
        {
            return Model.Update(Abort);
        }
        if (!words.Contains("/r") && !words.Contains("/s"))
        {
            return Say(87, "The parameter is incorrect.(87)");
        }
        var comment = After(args, "/c");
        var reason = After(args, "/d");
        if (comment.Length > LongestComment || (reason.Length > 0 && !IsReason(reason)))
        {
            return Say(87, "The parameter is incorrect.(87)");
        }
        var seconds = int.TryParse(After(args, "/t"), out var given) ? given : 30;
        return Model.Update(model =>
        {
            var wait = seconds * 1000 * model.Object("reboot").Number("delayShare", 1);
            if (model["shutdown"] is JsonObject pending)
            {
                return pending.Flag("isInProgress")
                    ? Say(1115, "A system shutdown is in progress.(1115)")
                    : Say(1190, "A system shutdown has already been scheduled.(1190)");
            }
            model["shutdown"] = new JsonObject
            {
                ["at"] = JsonFields.Now() + wait,
                ["isReboot"] = words.Contains("/r"),
                ["isInProgress"] = false,
                ["reason"] = reason,
                ["comment"] = comment,
            };
            return 0;
        });
    }

    private static int Abort(JsonObject model)
    {
        if (model["shutdown"] is not JsonObject pending || pending.Flag("isInProgress"))
        {
            return Say(1116, "Unable to abort the system shutdown because no shutdown was in progress.(1116)");
        }
        model.Remove("shutdown");
        return 0;
    }

    /// `[p|u:]major:minor`
    private static bool IsReason(string reason) =>
        System.Text.RegularExpressions.Regex.IsMatch(reason, @"^(?:[pPuU]:)?\d{1,3}:\d{1,5}$");

    private static string After(string[] args, string name)
    {
        var index = Array.FindIndex(args, word => word.Equals(name, StringComparison.OrdinalIgnoreCase));
        return index >= 0 && index + 1 < args.Length ? args[index + 1] : "";
    }

    private static int Say(int code, string words)
    {
        Console.Error.WriteLine(words);
        return code;
    }
}
