using System.Text.Json;
using System.Text.Json.Nodes;

namespace Fettle.Engine;

/// <summary>
/// The state of one simulated host: model.json in the directory of FETTLE_WINDOWS_MODEL, its fields described in
/// test/support/windows-model.ts. Writers hold flock(2) on model.lock; the file is replaced as a whole, so readers hold
/// nothing.
/// </summary>
internal static class Model
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Directory =>
        Environment.GetEnvironmentVariable("FETTLE_WINDOWS_MODEL")
        ?? throw new InvalidOperationException("FETTLE_WINDOWS_MODEL names no directory");

    /// <summary>The task that this process runs as SYSTEM; null for a network logon.</summary>
    public static string? Task => Environment.GetEnvironmentVariable("FETTLE_WINDOWS_TASK");

    public static bool IsSystem => Task is not null;

    public static JsonObject Read() =>
        JsonNode.Parse(File.ReadAllBytes(Path.Combine(Directory, "model.json")))!.AsObject();

    public static void Update(Action<JsonObject> change) => Update(model =>
    {
        change(model);
        return true;
    });

    public static T Update<T>(Func<JsonObject, T> change)
    {
        using var held = Lock();
        var model = Read();
        var result = change(model);
        var file = Path.Combine(Directory, "model.json");
        var next = $"{file}.{Environment.ProcessId}";
        File.WriteAllText(next, model.ToJsonString(Indented));
        File.Move(next, file, overwrite: true);
        return result;
    }

    /// FileShare.None is flock(2) here; the kernel lets go of it when the process dies.
    private static FileStream Lock()
    {
        var path = Path.Combine(Directory, "model.lock");
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < 5000)
            {
                Thread.Sleep(2);
            }
        }
    }
}

/// <summary>Reading fields that may be absent.</summary>
internal static class JsonFields
{
    public static JsonObject Object(this JsonNode node, string name)
    {
        if (node[name] is JsonObject found)
        {
            return found;
        }
        var made = new JsonObject();
        node[name] = made;
        return made;
    }

    public static JsonArray Array(this JsonNode node, string name)
    {
        if (node[name] is JsonArray found)
        {
            return found;
        }
        var made = new JsonArray();
        node[name] = made;
        return made;
    }

    public static string Text(this JsonNode node, string name, string otherwise = "") =>
        node[name]?.GetValue<string>() ?? otherwise;

    public static bool Flag(this JsonNode node, string name, bool otherwise = false) =>
        node[name]?.GetValue<bool>() ?? otherwise;

    public static double Number(this JsonNode node, string name, double otherwise = 0) =>
        node[name] is JsonValue value ? Convert.ToDouble(value.ToString(), System.Globalization.CultureInfo.InvariantCulture) : otherwise;

    public static int Whole(this JsonNode node, string name, int otherwise = 0) => (int)node.Number(name, otherwise);

    public static IEnumerable<string> Texts(this JsonNode node, string name) =>
        node[name] is JsonArray list ? list.Select(item => item!.GetValue<string>()) : [];

    public static IEnumerable<JsonObject> Objects(this JsonNode node, string name) =>
        node[name] is JsonArray list ? list.OfType<JsonObject>() : [];

    /// <summary>HRESULTs are written as "0x80240017" or as a number.</summary>
    public static int HResult(this JsonNode node, string name, int otherwise = 0)
    {
        if (node[name] is not JsonValue value)
        {
            return otherwise;
        }
        var text = value.ToString();
        if (text.Length == 0)
        {
            return otherwise;
        }
        return text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? unchecked((int)Convert.ToUInt32(text, 16))
            : unchecked((int)long.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
    }

    public static DateTime Epoch(double milliseconds) => DateTime.UnixEpoch.AddMilliseconds(milliseconds);

    public static double Now() => (DateTime.UtcNow - DateTime.UnixEpoch).TotalMilliseconds;
}
