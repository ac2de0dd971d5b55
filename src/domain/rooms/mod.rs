//! Rooms, groups, activities and their runs, and who is responsible for whom: the one place that decides scope.
