using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Win32;

namespace Fettle.Engine.Doubles;

/// <summary>Microsoft.Win32.RegistryKey on the model's keys: a flat list of full paths, whose parents exist by themselves.</summary>
public sealed class RegistryKeyDouble : IDisposable
{
    private static readonly Dictionary<RegistryHive, string> Hives = new()
    {
        [RegistryHive.LocalMachine] = "HKLM",
        [RegistryHive.Users] = "HKU",
        [RegistryHive.CurrentUser] = "HKCU",
        [RegistryHive.ClassesRoot] = "HKCR",
    };

    private readonly string _path;
    private readonly RegistryView _view;
    private readonly bool _isWritable;

    private RegistryKeyDouble(string path, RegistryView view, bool isWritable)
    {
        _path = path;
        _view = view;
        _isWritable = isWritable;
    }

    public string Name => _path.Replace("HKLM", "HKEY_LOCAL_MACHINE").Replace("HKU", "HKEY_USERS");
    public RegistryView View => _view;
    public int SubKeyCount => GetSubKeyNames().Length;
    public int ValueCount => GetValueNames().Length;

    public static RegistryKeyDouble OpenBaseKey(RegistryHive hKey, RegistryView view) => new(Hives[hKey], view, true);

    public RegistryKeyDouble? OpenSubKey(string name) => OpenSubKey(name, false);

    public RegistryKeyDouble? OpenSubKey(string name, bool writable)
    {
        var path = PathOf(name);
        if (!Exists(Keys(), path))
        {
            return null;
        }
        if (writable)
        {
            RequireAdministrator();
        }
        return new RegistryKeyDouble(path, _view, writable);
    }

    public RegistryKeyDouble CreateSubKey(string subkey) => CreateSubKey(subkey, true, RegistryOptions.None);

    public RegistryKeyDouble CreateSubKey(string subkey, bool writable) => CreateSubKey(subkey, writable, RegistryOptions.None);

    public RegistryKeyDouble CreateSubKey(string subkey, RegistryKeyPermissionCheck permissionCheck, RegistryOptions options) =>
        CreateSubKey(subkey, permissionCheck == RegistryKeyPermissionCheck.ReadWriteSubTree, options);

    /// <exception cref="IOException">A stable key below a volatile one, as Windows refuses it (ERROR_CHILD_MUST_BE_VOLATILE).</exception>
    public RegistryKeyDouble CreateSubKey(string subkey, bool writable, RegistryOptions options)
    {
        RequireAdministrator();
        var path = PathOf(subkey);
        Model.Update(model =>
        {
            var keys = model.Object("registry");
            if (Exists(keys, path))
            {
                return;
            }
            var isVolatile = options.HasFlag(RegistryOptions.Volatile);
            var parent = keys.FirstOrDefault(pair => IsBelow(path, pair.Key) && pair.Value!.Flag("isVolatile"));
            if (parent.Key is not null && !isVolatile)
            {
                throw new IOException("Cannot create a stable subkey under a volatile parent key.", unchecked((int)0x800703FD));
            }
            keys[path] = new JsonObject { ["isVolatile"] = isVolatile, ["values"] = new JsonObject() };
        });
        return new RegistryKeyDouble(path, _view, writable);
    }

    public void DeleteSubKey(string subkey) => DeleteSubKey(subkey, true);

    public void DeleteSubKey(string subkey, bool throwOnMissingSubKey) => Delete(subkey, throwOnMissingSubKey, withChildren: false);

    public void DeleteSubKeyTree(string subkey) => DeleteSubKeyTree(subkey, true);

    public void DeleteSubKeyTree(string subkey, bool throwOnMissingSubKey) => Delete(subkey, throwOnMissingSubKey, withChildren: true);

    public string[] GetSubKeyNames() =>
        Keys().Select(pair => pair.Key)
            .Where(path => IsBelow(path, _path))
            .Select(path => path[(_path.Length + 1)..].Split('\\')[0])
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .ToArray();

    public string[] GetValueNames() => Values()?.Select(pair => pair.Key).ToArray() ?? [];

    public object? GetValue(string? name) => GetValue(name, null);

    public object? GetValue(string? name, object? defaultValue) =>
        Find(Values(), name ?? "") is { } value ? Data(value) : defaultValue;

    public object? GetValue(string? name, object? defaultValue, RegistryValueOptions options) => GetValue(name, defaultValue);

    public RegistryValueKind GetValueKind(string name) =>
        Find(Values(), name) is { } value
            ? Enum.Parse<RegistryValueKind>(value.Text("kind"))
            : throw new IOException("The specified registry key does not exist.");

    public void SetValue(string? name, object value) =>
        SetValue(name, value, value is int ? RegistryValueKind.DWord : value is string[] ? RegistryValueKind.MultiString : value is byte[] ? RegistryValueKind.Binary : RegistryValueKind.String);

    public void SetValue(string? name, object value, RegistryValueKind valueKind)
    {
        RequireWritable();
        Model.Update(model =>
        {
            var keys = model.Object("registry");
            var path = keys.Select(pair => pair.Key).FirstOrDefault(key => key.Equals(_path, StringComparison.OrdinalIgnoreCase)) ?? _path;
            keys.Object(path).Object("values")[name ?? ""] = new JsonObject { ["kind"] = valueKind.ToString(), ["data"] = Written(value) };
        });
    }

    public void DeleteValue(string name) => DeleteValue(name, true);

    public void DeleteValue(string name, bool throwOnMissingValue)
    {
        RequireWritable();
        var isGone = Model.Update(model => Values(model.Object("registry")) is { } values
            && values.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Key is { } key
            && values.Remove(key));
        if (!isGone && throwOnMissingValue)
        {
            throw new ArgumentException("No value exists with that name.");
        }
    }

    public void Flush() { }
    public void Close() { }
    public void Dispose() { }
    public override string ToString() => Name;

    private static bool IsBelow(string path, string parent) =>
        path.Length > parent.Length && path[parent.Length] == '\\' && path.StartsWith(parent, StringComparison.OrdinalIgnoreCase);

    private static bool Exists(JsonObject keys, string path) =>
        keys.Any(pair => pair.Key.Equals(path, StringComparison.OrdinalIgnoreCase) || IsBelow(pair.Key, path));

    private static JsonNode? Find(JsonObject? values, string name) =>
        values?.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private static JsonNode Written(object value) => value switch
    {
        string[] list => new JsonArray(list.Select(item => (JsonNode?)JsonValue.Create(item)).ToArray()),
        byte[] bytes => JsonValue.Create(Convert.ToBase64String(bytes)),
        int or long or uint or short or byte => JsonValue.Create(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
    };

    private static object Data(JsonNode value) => value.Text("kind") switch
    {
        "DWord" => (int)value.Number("data"),
        "QWord" => (long)value.Number("data"),
        "MultiString" => value.Texts("data").ToArray(),
        "Binary" => Convert.FromBase64String(value.Text("data")),
        "ExpandString" => Environment.ExpandEnvironmentVariables(value.Text("data")),
        _ => value.Text("data"),
    };

    /// A 32-bit view looks below WOW6432Node.
    private string PathOf(string name)
    {
        var path = $"{_path}\\{name.Trim('\\')}";
        const string Software = "HKLM\\SOFTWARE\\";
        var isRedirected = _view == RegistryView.Registry32 && path.StartsWith(Software, StringComparison.OrdinalIgnoreCase);
        return isRedirected && !path.Contains("WOW6432Node", StringComparison.OrdinalIgnoreCase)
            ? $"{Software}WOW6432Node\\{path[Software.Length..]}"
            : path;
    }

    private static JsonObject Keys()
    {
        var model = Model.Read();
        var keys = model.Object("registry");
        OfSystem(model, keys);
        return keys;
    }

    /// What Windows itself keeps: the version, and the count of its starts.
    private static void OfSystem(JsonObject model, JsonObject keys)
    {
        var os = model.Object("os");
        var version = keys.Object(@"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion").Object("values");
        Set(version, "ProductName", "String", os.Text("caption").Replace("Microsoft ", ""));
        Set(version, "CurrentBuild", "String", os.Whole("build").ToString(CultureInfo.InvariantCulture));
        Set(version, "CurrentBuildNumber", "String", os.Whole("build").ToString(CultureInfo.InvariantCulture));
        Set(version, "UBR", "DWord", os.Whole("ubr"));
        Set(version, "EditionID", "String", os.Text("edition"));
        Set(version, "DisplayVersion", "String", os.Text("displayVersion"));
        Set(version, "InstallationType", "String", os.Text("installationType"));
        var memory = @"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters";
        Set(keys.Object(memory).Object("values"), "BootId", "DWord", model.Object("boot").Whole("number"));
        foreach (var (name, service) in model.Object("services"))
        {
            var start = service!.Text("startType") switch { "Automatic" => 2, "Disabled" => 4, _ => 3 };
            Set(keys.Object($@"HKLM\SYSTEM\CurrentControlSet\Services\{name}").Object("values"), "Start", "DWord", start);
        }
    }

    private static void Set(JsonObject values, string name, string kind, JsonNode data) =>
        values[name] = new JsonObject { ["kind"] = kind, ["data"] = data };

    private JsonObject? Values(JsonObject? keys = null) =>
        Find(keys ?? Keys(), _path) is { } key ? key.Object("values") : null;

    private void Delete(string subkey, bool throwOnMissing, bool withChildren)
    {
        RequireAdministrator();
        var path = PathOf(subkey);
        Model.Update(model =>
        {
            var keys = model.Object("registry");
            if (!Exists(keys, path))
            {
                if (throwOnMissing)
                {
                    throw new ArgumentException("Cannot delete a subkey tree because the subkey does not exist.");
                }
                return;
            }
            if (!withChildren && keys.Any(pair => IsBelow(pair.Key, path)))
            {
                throw new InvalidOperationException("Registry key has subkeys and recursive removes are not supported by this method.");
            }
            foreach (var key in keys.Select(pair => pair.Key).Where(key => key.Equals(path, StringComparison.OrdinalIgnoreCase) || IsBelow(key, path)).ToArray())
            {
                keys.Remove(key);
            }
        });
    }

    private void RequireWritable()
    {
        if (!_isWritable)
        {
            throw new UnauthorizedAccessException("Cannot write to the registry key.");
        }
        RequireAdministrator();
    }

    private static void RequireAdministrator()
    {
        if (!Account.IsAdministrator)
        {
            throw new System.Security.SecurityException("Requested registry access is not allowed.");
        }
    }
}

/// <summary>Microsoft.Win32.Registry: the base keys of a 64-bit process.</summary>
public static class RegistryDouble
{
    public static RegistryKeyDouble LocalMachine => RegistryKeyDouble.OpenBaseKey(RegistryHive.LocalMachine, RegistryView.Registry64);
    public static RegistryKeyDouble Users => RegistryKeyDouble.OpenBaseKey(RegistryHive.Users, RegistryView.Registry64);
    public static RegistryKeyDouble CurrentUser => RegistryKeyDouble.OpenBaseKey(RegistryHive.CurrentUser, RegistryView.Registry64);
}
