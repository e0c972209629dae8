// Makes the replica set and the user of Carebook when they are missing. Safe to repeat.

const isMember = () => {
  try {
    return rs.status().ok === 1;
  } catch (error) {
    if (error.codeName === "NotYetInitialized") return false;
    throw error;
  }
};

if (!isMember()) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
while (!db.hello().isWritablePrimary) {
  sleep(500);
}

const carebook = db.getSiblingDB("carebook");
const admin = db.getSiblingDB("admin");
// Lets `carebook backup` tell the server how long to keep what was there at its beginning.
const keeper = {
  privileges: [{ resource: { cluster: true }, actions: ["getParameter", "setParameter"] }],
  roles: [],
};
if (admin.getRole("carebookBackup") === null) {
  admin.createRole({ role: "carebookBackup", ...keeper });
}
const user = {
  pwd: process.env.MONGO_PASSWORD,
  roles: [
    { role: "readWrite", db: "carebook" },
    { role: "dbAdmin", db: "carebook" },
    { role: "carebookBackup", db: "admin" },
  ],
};
if (carebook.getUser("carebook") === null) {
  carebook.createUser({ user: "carebook", ...user });
} else {
  carebook.updateUser("carebook", user);
}
