"""Print the tables of the errata page."""
from docs.certified_statements import appendices, errata, table

print(table(errata.STATEMENTS, "entry"))
print()
print(table(appendices.STATEMENTS, "source"))
