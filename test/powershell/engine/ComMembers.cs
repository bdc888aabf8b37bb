using System.Reflection;
using Fettle.Engine.Doubles;

namespace Fettle.Engine;

/// <summary>The interfaces that a double stands for, with their later versions.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class InterfacesAttribute(params string[] names) : Attribute
{
    public string[] Names => names;
}

/// <summary>
/// Prints what the doubles offer, a member a line: interfaces joined by commas, `get_X`, `put_X` or the method, and
/// its number of arguments. A test compares it with the headers of Windows.
/// </summary>
internal static class ComMembers
{
    private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance;

    public static int Print()
    {
        var doubles = typeof(ComObject).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(ComObject)) && !type.IsGenericType);
        foreach (var type in doubles)
        {
            var interfaces = string.Join(',', type.GetCustomAttribute<InterfacesAttribute>()?.Names ?? [$"(none of {type.Name})"]);
            foreach (var member in Members(type).Distinct())
            {
                Console.WriteLine($"{interfaces} {member}");
            }
        }
        return 0;
    }

    private static IEnumerable<string> Members(Type type)
    {
        foreach (var property in type.GetProperties(Public))
        {
            yield return $"get_{property.Name} 0";
            if (property.SetMethod is { IsPublic: true })
            {
                yield return $"put_{property.Name} 1";
            }
        }
        foreach (var method in type.GetMethods(Public).Where(method => !method.IsSpecialName && method.DeclaringType != typeof(object) && method.Name != "GetEnumerator"))
        {
            var name = method.Name == "Item" ? "get_Item" : method.Name;
            yield return $"{name} {method.GetParameters().Length}";
        }
    }
}
