using System.Management.Automation.Language;
using System.Reflection;

namespace Fettle.Checks;

/// <summary>Types of .NET Framework 4.6.2, from its reference assemblies.</summary>
internal sealed class Framework : IDisposable
{
    /// about_Type_Accelerators of Windows PowerShell 5.1, without those of its own types.
    private static readonly Dictionary<string, string> Accelerators = new(StringComparer.OrdinalIgnoreCase)
    {
        ["array"] = "System.Array",
        ["bool"] = "System.Boolean",
        ["byte"] = "System.Byte",
        ["char"] = "System.Char",
        ["cultureinfo"] = "System.Globalization.CultureInfo",
        ["datetime"] = "System.DateTime",
        ["decimal"] = "System.Decimal",
        ["double"] = "System.Double",
        ["float"] = "System.Single",
        ["guid"] = "System.Guid",
        ["hashtable"] = "System.Collections.Hashtable",
        ["int"] = "System.Int32",
        ["int16"] = "System.Int16",
        ["int32"] = "System.Int32",
        ["int64"] = "System.Int64",
        ["ipaddress"] = "System.Net.IPAddress",
        ["long"] = "System.Int64",
        ["object"] = "System.Object",
        ["regex"] = "System.Text.RegularExpressions.Regex",
        ["sbyte"] = "System.SByte",
        ["single"] = "System.Single",
        ["string"] = "System.String",
        ["timespan"] = "System.TimeSpan",
        ["type"] = "System.Type",
        ["uint16"] = "System.UInt16",
        ["uint32"] = "System.UInt32",
        ["uint64"] = "System.UInt64",
        ["uri"] = "System.Uri",
        ["version"] = "System.Version",
        ["void"] = "System.Void",
    };

    /// Types of PowerShell 5.1 itself, for which there are no reference assemblies to be had: from its API documentation.
    private static readonly HashSet<string> OfPowerShell = new(StringComparer.OrdinalIgnoreCase)
    {
        "ref", "switch", "scriptblock", "psobject", "pscustomobject", "ordered", "NullString", "psvariable",
        "Management.Automation.ErrorRecord", "Management.Automation.PowerShell", "Management.Automation.PSObject",
        "Management.Automation.PropertyNotFoundException", "Management.Automation.RuntimeException", "Management.Automation.Runspaces.RunspaceFactory",
        "Management.Automation.Runspaces.InitialSessionState",
        "Management.Automation.Language.Parser", "Management.Automation.PSDataCollection",
    };

    private readonly MetadataLoadContext _context;
    private readonly Dictionary<string, Type> _types = new(StringComparer.OrdinalIgnoreCase);

    public Framework(string folder)
    {
        var files = Directory.GetFiles(folder, "*.dll");
        _context = new MetadataLoadContext(new PathAssemblyResolver(files), "mscorlib");
        foreach (var type in files.SelectMany(file => _context.LoadFromAssemblyPath(file).GetTypes()))
        {
            if (type.IsPublic || type.IsNestedPublic)
            {
                _types.TryAdd(type.FullName!, type);
            }
        }
    }

    public bool IsOfPowerShell(ITypeName name)
    {
        var plain = name is GenericTypeName generic ? generic.TypeName.FullName : name.FullName;
        return OfPowerShell.Contains(plain.StartsWith("System.", StringComparison.OrdinalIgnoreCase) ? plain[7..] : plain);
    }

    public Type? Find(ITypeName name) => name switch
    {
        ArrayTypeName array => Find(array.ElementType)?.MakeArrayType(),
        GenericTypeName generic => FindGeneric(generic),
        _ => Find(name.FullName),
    };

    /// <summary>By the name a script gives it: an accelerator, a full name, or one without `System.`.</summary>
    public Type? Find(string name)
    {
        if (name.EndsWith("[]", StringComparison.Ordinal))
        {
            return Find(name[..^2])?.MakeArrayType();
        }
        var full = Accelerators.GetValueOrDefault(name, name);
        return _types.GetValueOrDefault(full) ?? _types.GetValueOrDefault($"System.{full}");
    }

    public void Dispose() => _context.Dispose();

    private Type? FindGeneric(GenericTypeName name)
    {
        var arguments = name.GenericArguments.Select(Find).ToArray();
        return Find($"{name.TypeName.FullName}`{arguments.Length}") is { } open && arguments.All(argument => argument is not null)
            ? open.MakeGenericType(arguments!)
            : null;
    }
}
