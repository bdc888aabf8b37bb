using System.Management.Automation;
using System.Security.AccessControl;
using System.Text.RegularExpressions;

namespace Fettle.Engine.Doubles;

/// <summary>System.Security.AccessControl.FileSystemAccessRule.</summary>
public sealed class FileSystemAccessRuleDouble
{
    public FileSystemAccessRuleDouble(SecurityIdentifierDouble identity, FileSystemRights fileSystemRights, AccessControlType type)
        : this(identity, fileSystemRights, InheritanceFlags.None, PropagationFlags.None, type)
    {
    }

    public FileSystemAccessRuleDouble(SecurityIdentifierDouble identity, FileSystemRights fileSystemRights, InheritanceFlags inheritanceFlags, PropagationFlags propagationFlags, AccessControlType type)
    {
        IdentityReference = identity;
        FileSystemRights = fileSystemRights;
        InheritanceFlags = inheritanceFlags;
        PropagationFlags = propagationFlags;
        AccessControlType = type;
    }

    public SecurityIdentifierDouble IdentityReference { get; }
    public FileSystemRights FileSystemRights { get; }
    public InheritanceFlags InheritanceFlags { get; }
    public PropagationFlags PropagationFlags { get; }
    public AccessControlType AccessControlType { get; }
    public bool IsInherited { get; internal init; }
}

/// <summary>System.Security.AccessControl.DirectorySecurity and FileSecurity, as an SDDL string ([MS-DTYP] 2.5.1) taken apart.</summary>
public sealed class FileSecurityDouble
{
    /// Children of ProgramData: every user may make files in them.
    internal const string Inherited = "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)";

    /// Children of Program Files: every user may read them, no more.
    internal const string InheritedPrograms = "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)";

    private static readonly Dictionary<string, string> Aliases = new()
    {
        ["BA"] = Account.AdministratorsSid,
        ["SY"] = Account.SystemSid,
        ["BU"] = "S-1-5-32-545",
        ["CO"] = "S-1-3-0",
        ["WD"] = "S-1-1-0",
        ["AU"] = "S-1-5-11",
    };

    private readonly List<FileSystemAccessRuleDouble> _rules = [];
    private string _owner = "";

    public bool AreAccessRulesProtected { get; private set; }
    public string Sddl => GetSecurityDescriptorSddlForm(AccessControlSections.All);
    public string Owner => _owner;
    public FileSystemAccessRuleDouble[] Access => [.. _rules];

    public void SetAccessRuleProtection(bool isProtected, bool preserveInheritance)
    {
        AreAccessRulesProtected = isProtected;
        if (!preserveInheritance)
        {
            _rules.RemoveAll(rule => rule.IsInherited);
        }
    }

    public void SetOwner(SecurityIdentifierDouble identity) => _owner = identity.Value;

    public object GetOwner(Type targetType) => new SecurityIdentifierDouble(_owner);

    public void AddAccessRule(FileSystemAccessRuleDouble rule) => _rules.Add(rule);

    public FileSystemAccessRuleDouble[] GetAccessRules(bool includeExplicit, bool includeInherited, Type targetType) =>
        _rules.Where(rule => rule.IsInherited ? includeInherited : includeExplicit).ToArray();

    public void SetSecurityDescriptorSddlForm(string sddlForm) => SetSecurityDescriptorSddlForm(sddlForm, AccessControlSections.All);

    /// <exception cref="ArgumentException">The text is not SDDL.</exception>
    public void SetSecurityDescriptorSddlForm(string sddlForm, AccessControlSections includeSections)
    {
        var match = Regex.Match(sddlForm, @"^(?:O:(?<owner>[A-Z]{2}|S-[\d-]+))?(?:G:(?:[A-Z]{2}|S-[\d-]+))?(?:D:(?<flags>[A-Z]*)(?<aces>(?:\([^)]*\))*))?$");
        if (!match.Success)
        {
            throw new ArgumentException("The SDDL form of a security descriptor object is invalid.", nameof(sddlForm));
        }
        if (match.Groups["owner"].Success && includeSections.HasFlag(AccessControlSections.Owner))
        {
            _owner = SidOf(match.Groups["owner"].Value);
        }
        if (!includeSections.HasFlag(AccessControlSections.Access))
        {
            return;
        }
        AreAccessRulesProtected = match.Groups["flags"].Value.StartsWith('P');
        _rules.Clear();
        foreach (Match ace in Regex.Matches(match.Groups["aces"].Value, @"\(([^)]*)\)"))
        {
            _rules.Add(RuleOf(ace.Groups[1].Value.Split(';')));
        }
    }

    public string GetSecurityDescriptorSddlForm(AccessControlSections includeSections)
    {
        var owner = includeSections.HasFlag(AccessControlSections.Owner) && _owner.Length > 0 ? $"O:{AliasOf(_owner)}" : "";
        if (!includeSections.HasFlag(AccessControlSections.Access))
        {
            return owner;
        }
        return $"{owner}D:{(AreAccessRulesProtected ? "PAI" : "AI")}{string.Concat(_rules.Select(TextOf))}";
    }

    internal static FileSecurityDouble Of(string path)
    {
        var written = Model.Read().Object("acls")[Path.GetFullPath(path)]?.GetValue<string>();
        var security = new FileSecurityDouble();
        var isProgram = Path.GetFullPath(path).StartsWith(Environment.GetEnvironmentVariable("ProgramFiles") ?? "-", StringComparison.Ordinal);
        security.SetSecurityDescriptorSddlForm(written ?? (isProgram ? InheritedPrograms : Inherited));
        return security;
    }

    internal static void Moved(string from, string to)
    {
        var (source, target) = (Path.GetFullPath(from), Path.GetFullPath(to));
        if (Model.Read().Object("acls")[source] is null)
        {
            return;
        }
        Model.Update(model =>
        {
            var acls = model.Object("acls");
            acls[target] = acls[source]!.DeepClone();
            acls.Remove(source);
        });
    }

    internal void WriteTo(string path)
    {
        if (!Account.IsAdministrator)
        {
            throw new UnauthorizedAccessException("Attempted to perform an unauthorized operation.");
        }
        Model.Update(model => model.Object("acls")[Path.GetFullPath(path)] = Sddl);
    }

    private static FileSystemAccessRuleDouble RuleOf(string[] parts)
    {
        if (parts.Length != 6 || parts[0] is not ("A" or "D"))
        {
            throw new ArgumentException("The SDDL form of a security descriptor object is invalid.");
        }
        var flags = parts[1];
        var inheritance = (flags.Contains("OI") ? InheritanceFlags.ObjectInherit : 0) | (flags.Contains("CI") ? InheritanceFlags.ContainerInherit : 0);
        var rights = parts[2] switch
        {
            "FA" or "GA" => FileSystemRights.FullControl,
            "FR" => FileSystemRights.Read,
            "DCLCRPCR" => FileSystemRights.Write,
            _ => FileSystemRights.ReadAndExecute,
        };
        var propagation = flags.Contains("IO") ? PropagationFlags.InheritOnly : PropagationFlags.None;
        var type = parts[0] == "A" ? AccessControlType.Allow : AccessControlType.Deny;
        return new(new(SidOf(parts[5])), rights, inheritance, propagation, type) { IsInherited = flags.EndsWith("ID", StringComparison.Ordinal) };
    }

    private static string TextOf(FileSystemAccessRuleDouble rule)
    {
        var type = rule.AccessControlType == AccessControlType.Allow ? "A" : "D";
        var inheritance = (rule.InheritanceFlags.HasFlag(InheritanceFlags.ObjectInherit) ? "OI" : "")
            + (rule.InheritanceFlags.HasFlag(InheritanceFlags.ContainerInherit) ? "CI" : "")
            + (rule.PropagationFlags.HasFlag(PropagationFlags.InheritOnly) ? "IO" : "")
            + (rule.IsInherited ? "ID" : "");
        var rights = rule.FileSystemRights == FileSystemRights.FullControl ? "FA" : $"0x{(int)rule.FileSystemRights:x}";
        return $"({type};{inheritance};{rights};;;{AliasOf(rule.IdentityReference.Value)})";
    }

    private static string SidOf(string text) => Aliases.GetValueOrDefault(text, text);

    private static string AliasOf(string sid) => Aliases.FirstOrDefault(pair => pair.Value == sid).Key ?? sid;
}

/// <summary>What .NET Framework's DirectoryInfo and FileInfo have themselves.</summary>
public static class AccessControlMethods
{
    public static void Create(PSObject info, FileSecurityDouble? security = null)
    {
        var directory = (DirectoryInfo)info.BaseObject;
        if (security is null)
        {
            directory.Create();
        }
        else
        {
            DirectoryDouble.CreateDirectory(directory.FullName, security);
        }
        directory.Refresh();
    }

    public static FileSecurityDouble GetAccessControl(PSObject info) => FileSecurityDouble.Of(((FileSystemInfo)info.BaseObject).FullName);

    public static void SetAccessControl(PSObject info, FileSecurityDouble security) => security.WriteTo(((FileSystemInfo)info.BaseObject).FullName);
}
