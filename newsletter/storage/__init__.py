"""The only room that knows which database it is: engine, migrations, and the issues kept in it."""
